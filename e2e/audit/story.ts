/** A month at a small company, told to a started gate: what an auditor asks about afterwards. */
import assert from 'node:assert/strict';
import { eventually } from '../journeys/expectations.ts';
import { type OwnWorld, ownWorld } from '../world/own-api.ts';
import { change, event, send } from '../world/things.ts';

const payroll = `openapi: 3.1.0
paths:
  /employees:
    get: { operationId: listEmployees }
    post: { operationId: addEmployee }
  /payslips/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getPayslip }
  /month/close:
    post: { operationId: closeMonth }
`;
const roles = `payroll-reader:
  allows: [{ endpoint: payroll/listEmployees }]
  birthright: { department: finance }
payslips:
  allows: [{ endpoint: payroll/getPayslip }]
  approvers: [manager]
  maxDuration: 8h
office:
  allows: [{ endpoint: payroll/getPayslip }]
  approvers: [manager]
on-call:
  allows: [{ endpoint: payroll/listEmployees }]
repair:
  allows: [{ endpoint: payroll/closeMonth }]
  breakGlass: { for: ["role:on-call"], maxDuration: 15m, reviewers: [manager] }
`;

type Body = Readonly<Record<string, unknown>>;
export type Told = {
  readonly world: OwnWorld;
  readonly key: string;
  /** Before the leaver left, and of things that the questions name. */
  readonly before: string;
  readonly leaver: { readonly effective: string };
  readonly review: string;
  readonly allowedDecision: string;
  readonly grant: string;
};

export const auditedWorld = (): Promise<OwnWorld> =>
  ownWorld({
    files: { 'payroll.yaml': payroll, 'roles.yaml': roles },
    services: { payroll: { mount: '/payroll', openapi: './payroll.yaml' } },
  });

/** Tells it to a started world; what the record follows with is there when it resolves. */
export const tell = async (world: OwnWorld): Promise<Told> => {
  const key = await world.key();
  const as = async (name: string) => ({ authorization: `Bearer ${await world.issuer.token(name)}` });
  const call = async (name: string, path: string, method = 'GET') => {
    const response = await fetch(`${world.gate}/payroll${path}`, { method, headers: await as(name) });
    await response.arrayBuffer();
    return { status: response.status, decision: response.headers.get('postern-decision') ?? '' };
  };
  const must = async (
    name: string | undefined,
    method: string,
    path: string,
    body: object,
    status: number,
  ): Promise<Body> => {
    const response = await fetch(`${world.gate}/.postern${path}?wait=enforced`, {
      method,
      headers: { 'content-type': 'application/json', ...(name === undefined ? { 'x-api-key': key } : await as(name)) },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    return JSON.parse(text) as Body;
  };
  let events = 0;
  const hr = async (type: string, subject: string, data: object = {}, more: object = {}) => {
    const sent = await send(world, { ...event(`hr-${++events}`, type, subject, data), ...more }, '?wait=enforced');
    assert.equal(sent.status, 202, JSON.stringify(sent.body));
  };

  // What is said for a time before somebody joined does not count.
  const hired = { time: new Date(Date.now() - 30 * 86_400_000).toISOString() };
  await hr('person.joined', 'user:boss', { department: 'finance' }, hired);
  for (const name of ['ann', 'eve', 'max'])
    await hr('person.joined', `user:${name}`, { department: 'finance', manager: 'user:boss' }, hired);
  await hr('group.changed', 'group:staff', { add: ['user:boss', 'user:ann', 'user:eve', 'user:max'] });
  await must(
    undefined,
    'POST',
    '/grants',
    { subject: 'group:staff#member', role: 'postern-member', reason: 'works here' },
    201,
  );
  // Asked for, approved by the manager, used.
  const request = await must('ann', 'POST', '/requests', { role: 'payslips', reason: 'month end', ticket: 'T-1' }, 201);
  const granted = await must('boss', 'POST', `/requests/${request['id']}/approve`, { reason: 'she does' }, 200);
  const allowed = await call('ann', '/payslips/7');
  assert.equal(allowed.status, 200);
  assert.equal((await call('eve', '/payslips/7')).status, 403);
  // Given, and taken back by a review.
  const office = await must(
    undefined,
    'POST',
    '/grants',
    { subject: 'user:eve', role: 'office', reason: 'helps out', ticket: 'T-2' },
    201,
  );
  assert.equal((await call('eve', '/payslips/7')).status, 200);
  const review = await must(
    undefined,
    'POST',
    '/reviews',
    { title: 'office', scope: { role: 'office' }, undecided: 'revoke', dueIn: '1d' },
    201,
  );
  await must(
    'boss',
    'POST',
    `/reviews/${review['id']}/decisions`,
    { decisions: [{ grant: office['id'], decision: 'revoke' }], reason: 'no longer helps' },
    200,
  );
  assert.equal((await call('eve', '/payslips/7')).status, 403);
  await must(undefined, 'POST', `/reviews/${review['id']}/close`, {}, 200);
  // An emergency.
  await must(undefined, 'POST', '/grants', { subject: 'user:ann', role: 'on-call', reason: 'this week' }, 201);
  const use = await must('ann', 'POST', '/breakglass', { role: 'repair', reason: 'the month does not close' }, 201);
  assert.equal((await call('ann', '/month/close', 'POST')).status, 200);
  await must(
    'boss',
    'POST',
    `/breakglass/${use['id']}/review`,
    { verdict: 'justified', reason: 'it did not close' },
    200,
  );
  // A key, a mover, a wider role.
  await must(undefined, 'POST', '/keys', { owner: 'user:eve', roles: ['payroll-reader'], reason: 'her script' }, 201);
  await must(undefined, 'POST', '/grants', { subject: 'user:max', role: 'office', reason: 'kept' }, 201);
  await hr('person.moved', 'user:max', { department: 'hr' });
  await change(
    world,
    '/roles/office',
    { allows: [{ endpoint: 'payroll/getPayslip' }, { endpoint: 'payroll/addEmployee' }] },
    { method: 'PUT' },
  );
  assert.equal((await call('eve', '/employees')).status, 200);
  const before = new Date().toISOString();
  // HR tells a day late that eve has left.
  const effective = new Date(Date.now() - 86_400_000).toISOString();
  await hr('person.left', 'user:eve', {}, { time: effective });
  assert.equal((await call('eve', '/employees')).status, 403);
  await eventually('the last refusal in a sealed record', async () => {
    const query = 'decisions?subject=user:eve&outcome=deny&limit=1';
    const response = await fetch(`${world.gate}/.postern/audit/${query}`, { headers: { 'x-api-key': key } });
    const page = (await response.json()) as {
      items: { endpoint?: string; index: number }[];
      checkpoint: string | null;
    };
    const sealed = Number(page.checkpoint?.split('\n')[1] ?? 0);
    return page.items[0]?.endpoint === 'payroll/listEmployees' && sealed > page.items[0].index ? true : undefined;
  });
  await eventually('that it is enforced, in a sealed record', async () => {
    const response = await fetch(`${world.gate}/.postern/audit/questions/6`, { headers: { 'x-api-key': key } });
    const { rows = [] } = (await response.json()) as { rows?: { enforced?: string }[] };
    return rows[0]?.enforced;
  });
  return {
    world,
    key,
    before,
    leaver: { effective },
    review: String(review['id']),
    allowedDecision: allowed.decision,
    grant: String(granted['grant']),
  };
};
