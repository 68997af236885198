/** A publication moves routes and permissions together: no request is matched by one model and decided by the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { DecisionPoint } from '@postern/schemas';
import { bruteForce } from './trial/brute-force.ts';
import { appendAll, granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, until } from './trial/gate.ts';

const get = (id: string, template: string) => ({ id, method: 'GET', template });
const people = [joined('user:ann'), keyed('credential:k1', 'user:ann', 'psk_1')];
const ask = { 'x-api-key': 'psk_1' };

/** A decision point whose answers are computed at once, and come when they are let go. */
const slow = (inner: DecisionPoint) => {
  const asked = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  let armed = false;
  const point: DecisionPoint = {
    decide: async (questions) => {
      const answers = await inner.decide(questions);
      if (!armed) return answers;
      asked.resolve();
      await letGo.promise;
      return answers;
    },
  };
  const arm = (): void => {
    armed = true;
  };
  return { point, asked: asked.promise, letGo: letGo.resolve, arm };
};

/** The log as a proxy sees it that lags behind: what it follows comes when it is let go. */
const lagging = (log: EventLog) => {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const facts: EventLog['facts'] = {
    ...log.facts,
    append: (...given) => log.facts.append(...given),
    head: () => log.facts.head(),
    follow: async function* (after, options) {
      for await (const batch of log.facts.follow(after, options)) {
        await gate.promise;
        yield batch;
      }
    },
  };
  return {
    log: { ...log, facts } as EventLog,
    hold: () => {
      gate = Promise.withResolvers();
    },
    letGo: () => gate.resolve(),
  };
};

test('an answer of the model after waits until the routes of that model are in force', async () => {
  await using log = await openEventLog('memory:');
  const behind = lagging(log);
  const authority = bruteForce(log);
  await using gate = await startTrial(
    log,
    [
      ...people,
      routes('payroll', '/payroll', get('payroll/report', '/secret')),
      role('reader', { endpoint: 'payroll/nothing' }),
      granted('user:ann', 'reader').issued,
      granted('credential:k1', 'reader').issued,
    ],
    { deps: { eventLog: behind.log, decisionPoint: authority } },
  );
  behind.hold();
  // The name moves to another path, and there ann may call it. What lies at the old path, she may call under neither model.
  const [, last] = await appendAll(
    log,
    routes('payroll', '/payroll', get('payroll/report', '/open'), get('payroll/hidden', '/secret')),
    role('reader', { endpoint: 'payroll/report' }),
  );
  await until(async () => {
    const question = {
      subjects: ['user:ann'],
      endpoint: 'payroll/report',
      context: { now: '2026-01-01T00:00:00Z' },
      atLeast: last?.sequence,
    };
    return (await authority.decide([question as never]))[0]?.outcome === 'allow';
  });
  const answered = gate.get('/payroll/secret', ask);
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 300))]);
  behind.letGo();
  assert.equal((await answered).status, 403);
  assert.deepEqual(
    gate.upstream.seen.map(({ url }) => url),
    [],
  );
  assert.equal((await gate.get('/payroll/open', ask)).status, 200);
  authority.stop();
});

test('an answer of the model before, under way while the routes move, lets nobody in at the path that moved', async () => {
  await using log = await openEventLog('memory:');
  const authority = bruteForce(log);
  const late = slow(authority);
  await using gate = await startTrial(
    log,
    [
      ...people,
      routes('payroll', '/payroll', get('payroll/report', '/reports')),
      role('reader', { endpoint: 'payroll/report' }),
      granted('user:ann', 'reader').issued,
      granted('credential:k1', 'reader').issued,
    ],
    { deps: { decisionPoint: late.point } },
  );
  late.arm();
  const answered = gate.get('/payroll/reports', ask);
  await late.asked;
  // The same name lies elsewhere now, and the path is another endpoint's, which ann may not call.
  await gate.tell(
    routes('payroll', '/payroll', get('payroll/report', '/elsewhere'), get('payroll/hidden', '/reports')),
  );
  late.letGo();
  assert.equal((await answered).status, 403);
  assert.deepEqual(
    gate.upstream.seen.map(({ url }) => url),
    [],
  );
  assert.equal((await gate.get('/payroll/elsewhere', ask)).status, 200);
  authority.stop();
});
