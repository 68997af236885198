import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEventLog } from '@postern/event-log/open';
import { openRelationships } from '@postern/relationships/open';
import { Problem } from '@postern/schemas';
import { facts, room } from './trial/room.ts';

const world = [
  facts.schema(1),
  facts.routes(
    2,
    'payroll',
    { id: 'payroll/list', method: 'GET', template: '/employees', access: 'read' },
    { id: 'payroll/get', method: 'GET', template: '/employees/{id}', access: 'read' },
    { id: 'payroll/pay', method: 'POST', template: '/employees/{id}/pay', access: 'admin' },
    { id: 'payroll/about', method: 'GET', template: '/about', access: 'read', public: true },
  ),
  facts.role(3, 'reader', { service: 'payroll', access: 'read' }),
  facts.role(4, 'payer', { endpoint: 'payroll/pay' }),
  facts.joined(5, 'user:ann'),
  facts.member(6, 'group:hr', 'user:bob', 'workload:ci'),
  facts.grant(7, 'user:ann', 'payer', { cidrs: ['10.0.0.0/8'] }),
  facts.grant(8, 'group:hr#member', 'reader'),
  facts.key(9, 'credential:k1', 'user:bob'),
  facts.grant(10, 'credential:k1', 'reader', { countries: ['DE'] }),
  facts.key(11, 'credential:k2', 'user:ann'),
  facts.grant(12, 'credential:k2', 'reader'),
];

test('answers whether somebody can, with the reason, and who and what, complete', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  const sequence = await opened.tell(...world);
  const can = async (query: string) => {
    const { status, body } = await opened.get(`/.postern/can?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body as Record<string, unknown> & { explanation?: Record<string, unknown> };
  };

  const bob = await can('subject=user:bob&method=GET&path=/payroll/employees/7');
  assert.equal(bob['decision'], 'allow');
  assert.equal(bob['endpoint'], 'payroll/get');
  assert.equal(bob['sequence'], sequence);
  assert.match(JSON.stringify(bob.explanation), /"role":"reader","group":"group:hr"/);

  const ann = await can('subject=user:ann&method=POST&path=/payroll/employees/7/pay&ip=11.0.0.1');
  assert.deepEqual([ann['decision'], ann['reason']], ['deny', 'condition-unmet']);
  assert.match(JSON.stringify(ann.explanation), /"unmet":\["cidrs"\]/);
  const near = await can('subject=user:ann&method=POST&path=/payroll/employees/7/pay&ip=10.0.0.1');
  assert.deepEqual([near['decision'], near['dependsOn']], ['allow', ['ip']]);

  const unknown = await can('subject=user:ann&method=DELETE&path=/payroll/employees');
  assert.deepEqual([unknown['decision'], unknown['reason']], ['deny', 'no-such-endpoint']);
  const about = await can('subject=user:eve&method=GET&path=/payroll/about');
  assert.deepEqual([about['decision'], about.explanation], ['allow', { outcome: 'allow', public: true }]);
  const key = await can('subject=credential:k2&method=GET&path=/payroll/employees');
  assert.deepEqual([key['decision'], key.explanation?.['subject']], ['deny', 'user:ann']);

  assert.deepEqual((await opened.get('/.postern/who?endpoint=payroll/list')).body, {
    endpoint: 'payroll/list',
    sequence,
    complete: true,
    public: false,
    subjects: [
      { subject: 'credential:k1', conditional: true },
      { subject: 'user:bob', conditional: false },
      { subject: 'workload:ci', conditional: false },
    ],
  });
  const misspelt = await opened.get('/.postern/who?endpoint=payroll/lsit');
  assert.deepEqual(
    [misspelt.status, (misspelt.body as { type: string }).type],
    [400, 'urn:postern:problem:authorizer/bad-question'],
  );
  const what = async (subject: string) => (await opened.get(`/.postern/what?subject=${subject}`)).body;
  assert.deepEqual(await what('user:ann'), {
    subject: 'user:ann',
    sequence,
    complete: true,
    endpoints: [{ endpoint: 'payroll/pay', conditional: true }],
  });
  assert.deepEqual(((await what('credential:k1')) as { endpoints: unknown }).endpoints, [
    { endpoint: 'payroll/about', conditional: true },
    { endpoint: 'payroll/get', conditional: true },
    { endpoint: 'payroll/list', conditional: true },
  ]);
  assert.deepEqual(((await what('credential:k2')) as { endpoints: unknown }).endpoints, []);

  for (const query of [
    'can?subject=group:hr&method=GET&path=/x',
    'can?subject=user:a',
    'who?endpoint=x',
    'what',
    'who',
  ])
    assert.equal((await opened.get(`/.postern/${query}`)).status, 400, query);
  assert.equal((await opened.get('/.postern/what?subject=credential:gone')).status, 400);
});

test('everything but the decision route asks for the word of the gate, and that one for its token', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine, { pdpToken: 'shared' });
  await opened.tell(...world);
  const { http } = opened.service;
  assert.ok(http);
  const bare = async (method: 'GET' | 'POST', url: string, headers: Record<string, string> = {}) =>
    (await http.inject({ method, url, headers, ...(method === 'POST' && { payload: [] }) })).statusCode;
  for (const url of ['/.postern/can', '/.postern/who', '/.postern/what', '/.postern/nowhere'])
    assert.equal(await bare('GET', url), 401, url);
  for (const url of ['evaluation', 'evaluations', 'search/subject', 'search/resource', 'search/action'])
    assert.equal(await bare('POST', `/.postern/access/v1/${url}`), 401, url);
  assert.equal(await bare('POST', '/pdp/decide'), 401);
  assert.equal(await bare('POST', '/pdp/decide', { authorization: 'Bearer guessed' }), 401);
  assert.equal(await bare('POST', '/pdp/decide', { authorization: 'Bearer shared' }), 200);
});

test('before the log is reached it answers nothing', async () => {
  const away = () => Promise.reject(new Problem('authorizer/engine-unreachable', { detail: 'cut off' }));
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, { ...engine, reached: away }, { waitMs: 10 });
  for (let waited = 0; !opened.service.notReady().join().includes('cut off'); waited += 10) {
    assert.ok(waited < 5_000, opened.service.notReady().join());
    await sleep(10);
  }
  assert.equal((await opened.get('/.postern/who?endpoint=payroll/list')).status, 503);
  const entities = {
    subject: { type: 'user', id: 'a' },
    action: { name: 'call' },
    resource: { type: 'endpoint', id: 'a/b' },
  };
  assert.equal((await opened.post('/.postern/access/v1/evaluation', entities)).status, 503);
});
