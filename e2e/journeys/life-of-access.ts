/** Access is asked for, taken in an emergency, reviewed, and follows people through the house: in whatever world. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer, CallOptions, World } from '../world/world.ts';
import { change, enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';

const employees = '/payroll/employees';
const payslip = '/payroll/payslips/7';
type Body = Answer['body'];

/** Whoever works here may ask and answer: the role that comes with Postern, given to a group. */
const staff = async (w: World, ...names: readonly (readonly [string, object])[]): Promise<void> => {
  for (const [name, data] of names)
    await enforced(w, { type: 'postern.person.joined.v1', subject: `user:${name}`, data: { ...data } });
  const add = names.map(([name]) => `user:${name}`);
  await enforced(w, { type: 'postern.group.changed.v1', subject: 'group:staff', data: { add } });
  const { items } = (await w.call('/.postern/grants?subject=group:staff%23member')).body as { items: unknown[] };
  if (items.length === 0)
    await change(
      w,
      'POST',
      '/grants',
      { subject: 'group:staff#member', role: 'postern-member', reason: 'works here' },
      201,
    );
};
const of = async (w: World, name: string) => ({ token: await w.token(name) });
const asked = async (w: World, as: CallOptions['as'], body: object, status = 201): Promise<Body> => {
  const answer = await w.call('/.postern/requests', {
    method: 'POST',
    ...(as && { as }),
    body: { reason: 'month end', ...body },
  });
  assert.equal(answer.status, status, answer.text);
  return answer.body;
};
const post = async (w: World, as: CallOptions['as'], path: string, body: object, status = 200): Promise<Body> => {
  const answer = await w.call(`/.postern${path}?wait=enforced`, { method: 'POST', ...(as && { as }), body });
  assert.equal(answer.status, status, answer.text);
  return answer.body;
};
const role = (w: World, name: string, rules: object) =>
  change(w, 'PUT', `/roles/${name}`, { description: 'e2e', ...rules }, 201);
const codeOf = ({ type }: Body) => String(type).replace('urn:postern:problem:', '');

export const lifeOfAccessJourneys = (world: () => World): void => {
  describe('the life of access', () => {
    test('a role is asked for, approved by the manager and nobody else, extended, and ends by itself at every gate', async () => {
      const w = world();
      await role(w, 'slips', {
        allows: [{ endpoint: 'payroll/getPayslip' }],
        approvers: ['manager'],
        maxDuration: '1h',
      });
      await staff(w, ['r-boss', {}], ['r-ann', { manager: 'user:r-boss' }], ['r-eve', {}]);
      const [ann, boss, eve] = [await of(w, 'r-ann'), await of(w, 'r-boss'), await of(w, 'r-eve')];
      await isRefused(w, payslip, { as: ann });
      assert.equal(codeOf(await asked(w, eve, { role: 'slips' }, 422)), 'grants/no-approver');
      const untilMs = Math.ceil(Date.now() / 1_000) * 1_000 + 20_000;
      const { id } = await asked(w, ann, { role: 'slips', duration: '20s' });
      await isRefused(w, payslip, { as: ann });
      const waiting = (await w.call('/.postern/requests/mine', { as: boss })).body['toApprove'] as Body[];
      assert.deepEqual(
        waiting.map((each) => each['id']),
        [id],
      );
      assert.equal(codeOf(await post(w, ann, `/requests/${id}/approve`, {}, 403)), 'grants/oneself');
      assert.equal(codeOf(await post(w, eve, `/requests/${id}/approve`, {}, 403)), 'grants/not-your-decision');
      const granted = await post(w, boss, `/requests/${id}/approve`, { reason: 'she does' });
      assert.deepEqual(granted['approvals'], [{ by: 'user:r-boss', as: 'manager' }]);
      const early = await w.call(payslip, { as: ann });
      assert.ok(early.status === 200 || Date.now() > untilMs, early.text);

      const longer = await asked(w, ann, { extends: granted['grant'], duration: '5s' });
      const extended = await post(w, boss, `/requests/${longer['id']}/approve`, {});
      assert.ok(String(extended['until']) > String(granted['until']));
      await eventually('the end of the extended grant', () => Date.now() > Date.parse(String(extended['until'])));
      await isRefused(w, payslip, { as: ann });
      const again = await asked(w, ann, { role: 'slips', extends: granted['grant'] }, 404);
      assert.equal(codeOf(again), 'grants/unknown-grant');
    });

    test('nobody says yes to themselves: not as the agent of their manager, and not with a key of hers that they made', async () => {
      const w = world();
      await role(w, 'slips-too', { allows: [{ endpoint: 'payroll/getPayslip' }], approvers: ['manager'] });
      await role(w, 'key-maker', { allows: [{ endpoint: 'postern/issueKey' }] });
      await staff(w, ['s-boss', {}], ['s-ann', { manager: 'user:s-boss' }]);
      const ann = await of(w, 's-ann');
      await change(w, 'POST', '/grants', { subject: 'user:s-ann', role: 'key-maker', reason: 'makes keys' }, 201);
      const { id } = await asked(w, ann, { role: 'slips-too' });
      const approve = `/requests/${id}/approve`;
      const agent = { token: await w.token('s-boss', { act: 's-ann' }) };
      assert.equal(codeOf(await post(w, agent, approve, {}, 403)), 'grants/not-your-decision');
      const key = { owner: 'user:s-boss', roles: ['postern-member'], reason: 'for the boss' };
      const made = { key: String((await post(w, ann, '/keys', key, 201))['key']) };
      assert.equal(codeOf(await post(w, made, approve, {}, 403)), 'grants/oneself');
      await isRefused(w, payslip, { as: ann });
      const hers = { key: String((await change(w, 'POST', '/keys', key, 201)).body['key']) };
      await post(w, hers, approve, {});
      await passes(w, payslip, { as: ann });
    });

    test('break-glass opens at once for whom the role names, is shown until somebody else has looked at it, and ends when they say so', async () => {
      const w = world();
      await role(w, 'on-call', { allows: [{ endpoint: 'payroll/getPayslip' }] });
      await role(w, 'repair', {
        allows: [{ endpoint: 'payroll/listEmployees' }],
        breakGlass: { for: ['role:on-call'], maxDuration: '15m', reviewers: ['manager', 'role:on-call'] },
      });
      await staff(w, ['b-boss', {}], ['b-ann', { manager: 'user:b-boss' }], ['b-eve', {}]);
      await change(w, 'POST', '/grants', { subject: 'user:b-ann', role: 'on-call', reason: 'this week' }, 201);
      const [ann, boss, eve] = [await of(w, 'b-ann'), await of(w, 'b-boss'), await of(w, 'b-eve')];
      await isRefused(w, employees, { as: ann });
      const why = { role: 'repair', reason: 'payroll is down' };
      assert.equal(codeOf(await post(w, eve, '/breakglass', why, 403)), 'grants/no-break-glass');
      assert.equal(
        (await w.call('/.postern/breakglass', { method: 'POST', as: ann, body: { role: 'repair' } })).status,
        400,
        'no reason',
      );
      const use = await post(w, ann, '/breakglass', why, 201);
      await passes(w, employees, { as: ann });
      const shown = await eventually('the room says so', async () => {
        const { watched } = await w.health('grants-1');
        return watched.find(({ what }) => what.includes('user:b-ann'));
      });
      assert.match(shown.what, /break-glass of repair/);
      assert.match(w.output(), /BREAK-GLASS/);
      const verdict = { verdict: 'unjustified', reason: 'it was not down' };
      assert.equal(codeOf(await post(w, ann, `/breakglass/${use['id']}/review`, verdict, 403)), 'grants/oneself');
      const listed = async () =>
        ((await w.call('/.postern/reports/break-glass')).body['items'] as Body[]).map((each) => each['use']);
      assert.deepEqual(await listed(), [use['id']]);
      await post(w, boss, `/breakglass/${use['id']}/review`, verdict);
      await isRefused(w, employees, { as: ann });
      assert.deepEqual(await listed(), []);
    });

    test('a mover, asked all the while: exactly one of the two roles at every moment', async () => {
      const w = world();
      await role(w, 'desk-north', {
        allows: [{ endpoint: 'payroll/listEmployees' }],
        birthright: { department: 'north' },
        separateFrom: ['desk-south'],
      });
      await role(w, 'desk-south', {
        allows: [{ endpoint: 'payroll/getPayslip' }],
        birthright: { department: 'south' },
      });
      await enforced(w, joined('user:m-ann', 'north'));
      const subject = { type: 'user', id: 'm-ann' };
      const evaluations = ['listEmployees', 'getPayslip'].map((name) => ({
        subject,
        action: { name: 'call' },
        resource: { type: 'endpoint', id: `payroll/${name}` },
      }));
      const seen = new Map<string, number>();
      let over = false;
      const asking = async (): Promise<void> => {
        while (!over) {
          const { status, body } = await w.call('/.postern/access/v1/evaluations', {
            method: 'POST',
            body: { evaluations },
          });
          if (status !== 200) continue;
          const answers = (body['evaluations'] as { decision: boolean }[]).map(({ decision }) => decision).join();
          seen.set(answers, (seen.get(answers) ?? 0) + 1);
        }
      };
      const askers = [asking(), asking()];
      try {
        for (let move = 0; move < 12; move++)
          await enforced(w, {
            type: 'postern.person.moved.v1',
            subject: 'user:m-ann',
            data: { department: move % 2 === 0 ? 'south' : 'north' },
          });
      } finally {
        over = true;
        await Promise.all(askers);
      }
      assert.deepEqual([...seen.keys()].sort(), ['false,true', 'true,false'], JSON.stringify([...seen]));
      const as = await of(w, 'm-ann');
      await passes(w, employees, { as });
      await isRefused(w, payslip, { as });
    });

    test('a campaign shows when what was last used and how it came about, and each revocation with its enforcement and first refusal', async () => {
      const w = world();
      await role(w, 'reviewed', { allows: [{ endpoint: 'payroll/getPayslip' }] });
      await staff(w, ['c-boss', {}], ['c-ann', { manager: 'user:c-boss' }], ['c-bob', { manager: 'user:c-boss' }]);
      const [ann, bob, boss] = [await of(w, 'c-ann'), await of(w, 'c-bob'), await of(w, 'c-boss')];
      const grant = async (name: string): Promise<string> => {
        const body = { subject: `user:${name}`, role: 'reviewed', reason: `for ${name}`, ticket: 'T-7' };
        return String((await change(w, 'POST', '/grants', body, 201)).body['id']);
      };
      const [anns, bobs] = [await grant('c-ann'), await grant('c-bob')];
      await passes(w, payslip, { as: ann });
      const opened = await post(
        w,
        undefined,
        '/reviews',
        { title: 'slips', scope: { role: 'reviewed' }, undecided: 'revoke', dueIn: '1d' },
        201,
      );
      assert.equal(opened['items'], 2);
      type Item = Body & { grant: string; lastUsed: string; cameAbout: Body; revocation?: Body };
      const mine = await eventually('the last use in the record', async () => {
        const { items } = (await w.call('/.postern/reviews/mine', { as: boss })).body as { items: { mine: Item[] }[] };
        const found = items[0]?.mine ?? [];
        return found.some(({ grant: id, lastUsed }) => id === anns && lastUsed !== 'never') ? found : undefined;
      });
      assert.deepEqual(mine.map(({ grant: id }) => id).sort(), [anns, bobs].sort());
      const bobItem = mine.find(({ grant: id }) => id === bobs);
      assert.equal(bobItem?.lastUsed, 'never');
      assert.partialDeepStrictEqual(bobItem?.cameAbout, {
        as: 'direct',
        by: 'user:admin',
        reason: 'for c-bob',
        ticket: 'T-7',
      });

      const decide = (id: string, decision: string) => ({ decisions: [{ grant: id, decision }], reason: 'as used' });
      const path = `/reviews/${opened['id']}/decisions`;
      assert.equal(codeOf(await post(w, bob, path, decide(bobs, 'keep'), 403)), 'grants/oneself');
      await post(w, boss, path, decide(anns, 'keep'));
      await post(w, boss, path, decide(bobs, 'revoke'));
      const refusal = await isRefused(w, payslip, { as: bob });
      await passes(w, payslip, { as: ann });
      const shown = await eventually('the revocation with all that follows from it', async () => {
        const { grants } = (await w.call(`/.postern/reviews/${opened['id']}?only=revoked`)).body as { grants: Item[] };
        const revocation = grants[0]?.revocation;
        return revocation?.['enforced'] && revocation['firstRefusal'] ? revocation : undefined;
      });
      const enforcement = shown['enforced'] as Body;
      assert.ok(Number(enforcement['at']) > Number(shown['at']));
      assert.equal(enforcement['proxies'], w.gates.length);
      const first = shown['firstRefusal'] as Body;
      assert.equal(first['endpoint'], 'payroll/getPayslip');
      assert.ok(String(first['at']) <= new Date().toISOString() && refusal.decision !== '');
      const closed = await post(w, undefined, `/reviews/${opened['id']}/close`, {});
      assert.deepEqual([closed['kept'], closed['revoked'], closed['gone']], [1, 1, 0]);
    });

    test('reports name what is not used and what must not be; a leaver is on none of them', async () => {
      const w = world();
      await role(w, 'wide', { allows: [{ endpoint: 'payroll/getPayslip' }, { endpoint: 'payroll/listEmployees' }] });
      await enforced(w, joined('user:d-ann'));
      await enforced(w, joined('user:d-bob'));
      const grant = (subject: string) => change(w, 'POST', '/grants', { subject, role: 'wide', reason: 'r' }, 201);
      const [anns, bobs] = [await grant('user:d-ann'), await grant('user:d-bob')];
      await passes(w, payslip, { as: await of(w, 'd-ann') });
      const items = async (name: string) => (await w.call(`/.postern/reports/${name}`)).body['items'] as Body[];
      // Given a second ago, so that it is unused since then.
      await eventually('the dormant one', async () => {
        const dormant = (await items('dormant?unusedFor=1s')).map((each) => each['grant']);
        return dormant.includes(bobs.body['id']) || undefined;
      });
      assert.equal((await items('dormant')).length, 0, 'nothing here is 90 days old');
      const wide = await eventually('the wide role', async () => {
        const found = (await items('wide-roles')).find((each) => each['role'] === 'wide');
        return found?.['used'] === 1 ? found : undefined;
      });
      assert.partialDeepStrictEqual(wide, { holders: 2, opens: 2, used: 1, unused: 'payroll/listEmployees' });
      await enforced(w, left('user:d-ann'));
      await enforced(w, left('user:d-bob'));
      assert.deepEqual(await items('leavers'), []);
      const grants = (await items('dormant?unusedFor=1s')).map((each) => each['grant']);
      assert.ok(!grants.includes(anns.body['id']) && !grants.includes(bobs.body['id']));
      const csv = await w.call('/.postern/reports/leavers?format=csv');
      assert.equal(csv.text, 'principal,holds,id,leftAtSequence\r\n');
    });

    test('a key is rotated with an overlap, tells when it was last used, and stops when its owner leaves', async () => {
      const w = world();
      await enforced(w, joined('user:k-ann'));
      await change(w, 'POST', '/grants', { subject: 'user:k-ann', role: 'payroll-reader', reason: 'reports' }, 201);
      const key = { owner: 'user:k-ann', roles: ['payroll-reader'], reason: 'script' };
      const first = await change(w, 'POST', '/keys', key, 201);
      const old = { key: String(first.body['key']) };
      await passes(w, employees, { as: old });
      const rotated = await post(
        w,
        undefined,
        `/keys/${first.body['id']}/rotate`,
        { overlap: '5s', reason: 'quarter' },
        201,
      );
      const fresh = { key: String(rotated['key']) };
      await passes(w, employees, { as: fresh });
      await eventually('the end of the overlap', () => Date.now() > Date.parse(String(rotated['bothUntil'])));
      await isRefused(w, employees, { as: old }, 401);
      await passes(w, employees, { as: fresh });
      await eventually('the last use', async () => {
        const { items } = (await w.call('/.postern/keys?owner=user:k-ann&use=last')).body as { items: Body[] };
        const found = items.find(({ id }) => id === rotated['id']);
        return (found !== undefined && found['lastUsed'] !== 'never') || undefined;
      });
      await enforced(w, left('user:k-ann'));
      await isRefused(w, employees, { as: fresh }, 401);
    });
  });
};
