/** Access is given and taken away, and every gate says so from the moment it was confirmed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { credentialHeaders, type World } from '../world/world.ts';
import { change, enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';

const employees = '/payroll/employees';

export const accessJourneys = (world: () => World): void => {
  describe('access', () => {
    test('nobody passes before joining; a leaver is refused at every gate by the very next request, and the open stream is cut', async () => {
      const w = world();
      assert.equal((await w.call(employees, { as: { nobody: true } })).status, 401);
      const as = { token: await w.token('alice') };
      await isRefused(w, employees, { as });
      await isRefused(w, '/nowhere', { as });

      await enforced(w, joined('user:alice', 'finance'));
      await passes(w, employees, { as });
      const refusal = await isRefused(w, `${employees}/42`, { as, method: 'PATCH', body: { salary: 1 } });
      assert.deepEqual(refusal.body['needed'], ['payroll-writer']);

      const streams = await Promise.all(w.gates.map((gate) => openStream(`${gate}/payroll/feed`, as.token)));
      await enforced(w, left('user:alice'));
      await isRefused(w, employees, { as });
      for (const stream of streams) assert.equal(await stream.ended, 'cut');
    });

    test('an API key does what both it and its owner may, until it is revoked', async () => {
      const w = world();
      await enforced(w, { type: 'postern.person.joined.v1', subject: 'workload:ci' });
      const grant = await change(
        w,
        'POST',
        '/grants',
        { subject: 'workload:ci', role: 'payroll-reader', reason: 'reports' },
        201,
      );
      const issued = await change(
        w,
        'POST',
        '/keys',
        { owner: 'workload:ci', roles: ['payroll-reader'], reason: 'ci' },
        201,
      );
      const as = { key: String(issued.body['key']) };
      await passes(w, employees, { as });
      await isRefused(w, `${employees}/42`, { as, method: 'PATCH' });
      await change(w, 'DELETE', `/keys/${issued.body['id']}`, { reason: 'rotated' }, 200);
      await isRefused(w, employees, { as }, 401);

      const second = await change(
        w,
        'POST',
        '/keys',
        { owner: 'workload:ci', roles: ['payroll-reader'], reason: 'ci' },
        201,
      );
      const other = { key: String(second.body['key']) };
      await passes(w, employees, { as: other });
      await change(w, 'DELETE', `/grants/${grant.body['id']}`, { reason: 'no more reports' }, 200);
      await isRefused(w, employees, { as: other });
    });

    test('membership gives access through nested groups, and leaving any group on the way takes it', async () => {
      const w = world();
      const as = { token: await w.token('erin') };
      const group = (name: string, data: object) =>
        enforced(w, { type: 'postern.group.changed.v1', subject: `group:${name}`, data: { ...data } });
      await enforced(w, joined('user:erin'));
      await group('payroll-team', { add: ['user:erin'] });
      await group('office', { add: ['group:payroll-team'] });
      await change(
        w,
        'POST',
        '/grants',
        { subject: 'group:office#member', role: 'payroll-reader', reason: 'the office' },
        201,
      );
      await passes(w, employees, { as });
      await group('payroll-team', { remove: ['user:erin'] });
      await isRefused(w, employees, { as });
      await group('payroll-team', { add: ['user:erin'] });
      await passes(w, employees, { as });
      await group('office', { remove: ['group:payroll-team'] });
      await isRefused(w, employees, { as });
    });

    test("a grant's conditions hold at the gate: until when, and from which network", async () => {
      const w = world();
      const as = { token: await w.token('frank') };
      await enforced(w, joined('user:frank'));
      const grant = async (conditions: object) =>
        String(
          (
            await change(
              w,
              'POST',
              '/grants',
              { subject: 'user:frank', role: 'payroll-reader', reason: 'conditions', conditions },
              201,
            )
          ).body['id'],
        );
      const revoke = (id: string) => change(w, 'DELETE', `/grants/${id}`, { reason: 'next' }, 200);
      const hour = 3_600_000;
      await grant({ from: new Date(Date.now() + hour).toISOString() });
      await isRefused(w, employees, { as });
      await grant({ cidrs: ['203.0.113.0/24'] });
      await isRefused(w, employees, { as });
      const here = await grant({ cidrs: ['127.0.0.0/8', '::1/128'] });
      await passes(w, employees, { as });
      await revoke(here);
      await isRefused(w, employees, { as });

      await grant({ until: new Date(Date.now() + hour).toISOString() });
      await passes(w, employees, { as });
    });

    test('a grant ends by itself when its time has come, at every gate', async () => {
      const w = world();
      const as = { token: await w.token('grace') };
      await enforced(w, joined('user:grace'));
      const untilMs = Math.ceil(Date.now() / 1_000) * 1_000 + 8_000;
      await change(
        w,
        'POST',
        '/grants',
        {
          subject: 'user:grace',
          role: 'payroll-reader',
          reason: 'a minute',
          conditions: { until: new Date(untilMs).toISOString() },
        },
        201,
      );
      // A machine so slow that the time has passed meanwhile says nothing about passing.
      const early = await w.call(employees, { as });
      assert.ok(early.status === 200 || early.status === 503 || Date.now() >= untilMs, early.text);
      await eventually('the end of the grant', () => Date.now() > untilMs);
      await isRefused(w, employees, { as });
    });

    test('a changed role is in force everywhere when the change is confirmed', async () => {
      const w = world();
      const as = { token: await w.token('heidi') };
      const role = (...allows: object[]) => ({ description: 'e2e', allows });
      await enforced(w, joined('user:heidi'));
      await change(w, 'PUT', '/roles/payslip-clerk', role({ endpoint: 'payroll/getPayslip' }), 201);
      await change(w, 'POST', '/grants', { subject: 'user:heidi', role: 'payslip-clerk', reason: 'payslips' }, 201);
      await passes(w, '/payroll/payslips/7', { as });
      await isRefused(w, employees, { as });
      await change(w, 'PUT', '/roles/payslip-clerk', role({ endpoint: 'payroll/listEmployees' }), 200);
      await isRefused(w, '/payroll/payslips/7', { as });
      await passes(w, employees, { as });
      await change(w, 'DELETE', '/roles/payslip-clerk', undefined, 200);
      await isRefused(w, employees, { as });
    });
  });
};

type Stream = { readonly ended: Promise<'cut'> };

/** Resolves when the first event has come; then the stream is read until it breaks off. A whole end would be none. */
const openStream = (url: string, token: string): Promise<Stream> =>
  eventually(`a stream from ${url}`, async () => {
    const response = await fetch(url, { headers: credentialHeaders({ token }) });
    if (response.status === 503) return undefined;
    assert.equal(response.status, 200);
    const reader = response.body?.getReader();
    assert.ok(reader);
    await reader.read();
    const ended = (async () => {
      try {
        while (!(await reader.read()).done);
      } catch {
        return 'cut' as const;
      }
      throw new Error('the stream ended as if it were whole');
    })();
    ended.catch(() => {});
    return { ended };
  });
