/** Events of HR and identity systems through the gate, and what an application may ask. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { World } from '../world/world.ts';
import { change, enforced, eventually, isRefused, joined, passes } from './expectations.ts';

const employees = '/payroll/employees';

export const eventJourneys = (world: () => World): void => {
  describe('events', () => {
    test('structured, binary and batch mode mean the same', async () => {
      const w = world();
      await enforced(w, joined('user:struct', 'finance'));
      const binary = await w.call('/.postern/events?wait=enforced', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'ce-specversion': '1.0',
          'ce-id': 'binary-1',
          'ce-source': '/e2e/binary',
          'ce-type': 'postern.person.joined.v1',
          'ce-subject': 'user:binary',
        },
        body: JSON.stringify({ department: 'finance', surname: 'Byron' }),
      });
      assert.equal(binary.status, 202, binary.text);
      assert.deepEqual(binary.body['ignored'], ['surname'], 'personal data is named and left out');
      const batch = await w.call('/.postern/events?wait=enforced', {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(
          ['batch-a', 'batch-b'].map((name) => ({
            specversion: '1.0',
            id: name,
            source: '/e2e/batch',
            ...joined(`user:${name}`, 'finance'),
          })),
        ),
      });
      assert.equal(batch.status, 202, batch.text);
      assert.equal(batch.body['accepted'], 2);
      for (const subject of ['struct', 'binary', 'batch-a', 'batch-b'])
        await passes(w, employees, { as: { token: await w.token(subject) } });
    });

    test('in a batch each event stands or falls alone, and the answer says which fell', async () => {
      const batch = await world().call('/.postern/events', {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify([
          { specversion: '1.0', id: 'mixed-1', source: '/e2e/mixed', ...joined('user:mixed') },
          {
            specversion: '1.0',
            id: 'mixed-2',
            source: '/e2e/mixed',
            type: 'postern.unheard-of.v1',
            subject: 'user:mixed',
          },
        ]),
      });
      assert.equal(batch.status, 207, batch.text);
      assert.deepEqual([batch.body['accepted'], batch.body['refused']], [1, 1]);
      assert.match(batch.text, /grants\/unknown-event-type/);
    });

    test('an event that comes again is answered as the first time; the same id with other content is refused', async () => {
      const w = world();
      const event = { ...joined('user:twice', 'finance'), id: 'twice-1', source: '/e2e/twice' };
      const first = await w.send(event);
      const again = await w.send(event, { gate: w.gates.length - 1 });
      assert.equal(again.status, 202, again.text);
      assert.equal(again.body['sequence'], first.body['sequence']);
      assert.equal(again.body['repeated'], true);
      const other = await w.send({ ...event, data: { department: 'hr' } });
      assert.equal(other.status, 409, other.text);
    });

    test('a request with an Idempotency-Key is carried out once', async () => {
      const w = world();
      await enforced(w, joined('user:ivan'));
      const headers = { 'idempotency-key': 'grant-for-ivan' };
      const body = { subject: 'user:ivan', role: 'payroll-reader', reason: 'once' };
      const first = await w.call('/.postern/grants', { method: 'POST', headers, body });
      const again = await w.call('/.postern/grants', { method: 'POST', headers, body });
      assert.deepEqual([first.status, again.status], [201, 201], again.text);
      assert.equal(again.body['id'], first.body['id']);
      const live = await w.call('/.postern/grants?subject=user:ivan');
      assert.equal((live.body['items'] as unknown[]).length, 1);
      const other = await w.call('/.postern/grants', { method: 'POST', headers, body: { ...body, reason: 'another' } });
      assert.equal(other.status, 409, other.text);
    });

    test('a session that was ended refuses the tokens from before it, and takes the newer ones', async () => {
      const w = world();
      const before = { token: await w.token('judy', { issuedSecondsAgo: 600 }) };
      await enforced(w, joined('user:judy', 'finance'));
      await passes(w, employees, { as: before });
      await enforced(w, {
        type: 'postern.session.revoked.v1',
        subject: 'user:judy',
        data: { before: new Date(Date.now() - 300_000).toISOString() },
      });
      await isRefused(w, employees, { as: before }, 401);
      await passes(w, employees, { as: { token: await w.token('judy') } });
    });

    test('an application asks by AuthZEN through the gate, with a key that may do nothing else', async () => {
      const w = world();
      await enforced(w, { type: 'postern.person.joined.v1', subject: 'workload:portal' });
      await change(w, 'POST', '/grants', { subject: 'workload:portal', role: 'postern-asker', reason: 'asks' }, 201);
      const issued = await change(
        w,
        'POST',
        '/keys',
        { owner: 'workload:portal', roles: ['postern-asker'], reason: 'asks' },
        201,
      );
      const as = { key: String(issued.body['key']) };
      await enforced(w, joined('user:kim', 'finance'));
      const ask = (id: string) =>
        eventually('an answer', async () => {
          const answer = await w.call('/.postern/access/v1/evaluation', {
            as,
            method: 'POST',
            body: {
              subject: { type: 'user', id: 'kim' },
              action: { name: 'call' },
              resource: { type: 'endpoint', id },
            },
          });
          return answer.status === 503 ? undefined : answer;
        });
      // The authorizer's own view of the graph may come a moment behind the gates'.
      await eventually(
        'a yes',
        async () => (await ask('payroll/listEmployees')).body['decision'] === true || undefined,
      );
      assert.deepEqual((await ask('payroll/changeSalary')).body, { decision: false });
      await isRefused(w, '/.postern/grants', { as });
    });
  });
};
