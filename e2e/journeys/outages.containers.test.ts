/** Whatever is away, killed or frozen: nothing passes that should not, a confirmed revocation stays one, and all goes on afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributedWorld } from '../world/distributed.ts';
import type { Answer, RoomName } from '../world/world.ts';
import { enforced, eventually, isRefused, joined, left, passes } from './expectations.ts';
import { recorded } from './record.ts';
import { staged } from './staging.ts';

const leaseMs = 4_000;
const world = staged(() => distributedWorld({ leaseMs }));
const employees = '/payroll/employees';

const problemOf = ({ body }: Answer): string => String(body['type']).replace('urn:postern:problem:', '');
const finance = async (name: string) => {
  await enforced(world(), joined(`user:${name}`, 'finance'));
  return { token: await world().token(name) };
};
const ready = (room: RoomName): Promise<true> =>
  eventually(`${room} is ready`, async () => {
    const health = await world().health(room);
    return health.status === 200 ? true : undefined;
  });

test('a killed gate holds a revocation up for its lease and no longer, and is named as lapsed', async () => {
  const w = world();
  const as = await finance('sam');
  await passes(w, employees, { as });
  await w.stop('proxy-2', 'SIGKILL');
  const { body } = await enforced(w, left('user:sam'));
  assert.equal(body['proxies'], 1);
  assert.equal((body['lapsed'] as unknown[]).length, 1);
  assert.equal((await w.call(employees, { as, gate: 0 })).status, 403);
  await w.start('proxy-2');
  await isRefused(w, employees, { as });
  const again = await enforced(w, joined('user:sam', 'finance'));
  assert.equal(again.body['proxies'], 2);
  await passes(w, employees, { as });
});

test('a gate that was frozen beyond its lease lets nothing pass on waking, though it had allowed it before', async () => {
  const w = world();
  const as = await finance('tess');
  await passes(w, employees, { as });
  assert.equal((await w.call(employees, { as, gate: 1 })).status, 200, 'it is cached');
  w.signal('proxy-2', 'SIGSTOP');
  const calls = () => Array.from({ length: 8 }, () => w.call(employees, { as, gate: 1 }));
  const early = calls();
  const { body } = await enforced(w, left('user:tess'));
  assert.equal((body['lapsed'] as string[]).length > 0, true, 'the frozen one was not waited for any longer');
  // The first calls lie in its sockets since before the fact was written: what it reads first on waking are they.
  const waiting = [...early, ...calls()];
  w.signal('proxy-2', 'SIGCONT');
  for (const { status, text } of await Promise.all(waiting)) assert.ok(status === 403 || status === 503, text);
  await isRefused(w, employees, { as });
  await ready('proxy-2');
});

test('without Kafka for longer than the lease every gate refuses as stale and says so in /readyz; it serves again afterwards', async () => {
  const w = world();
  const as = await finance('uma');
  await passes(w, employees, { as });
  await w.kafka.pause();
  try {
    for (const gate of w.gates.keys()) {
      const refusal = await eventually(`gate ${gate} refuses`, async () => {
        const answer = await w.call(employees, { as, gate });
        return answer.status === 503 ? answer : undefined;
      });
      assert.equal(problemOf(refusal), 'proxy/stale');
      for (let call = 0; call < 5; call++) assert.equal((await w.call(employees, { as, gate })).status, 503);
    }
    for (const room of ['proxy-1', 'proxy-2'] as const) {
      const { status, notReady } = await w.health(room);
      assert.equal(status, 503);
      assert.match(notReady.map(({ what }) => what).join(), /not heard from the log/);
    }
  } finally {
    await w.kafka.unpause();
  }
  await passes(w, employees, { as });
  await Promise.all((['proxy-1', 'proxy-2', 'grants-1', 'authorizer', 'audit'] as const).map(ready));
  await enforced(w, left('user:uma'));
  await isRefused(w, employees, { as });
});

test('without the authorizer nothing new is decided, revocations are enforced all the same, and it goes on where it was', async () => {
  const w = world();
  const [as, leaver] = [await finance('vera'), await finance('walt')];
  await passes(w, employees, { as });
  await passes(w, employees, { as: leaver });
  await w.stop('authorizer', 'SIGKILL');
  const undecided: Answer[] = [];
  for (const gate of w.gates.keys()) {
    assert.equal((await w.call(employees, { as, gate })).status, 200, 'decided before');
    const answer = await w.call('/payroll/payslips/1', { as, gate });
    assert.deepEqual([answer.status, problemOf(answer)], [503, 'proxy/cannot-decide']);
    undecided.push(answer);
  }
  await enforced(w, left('user:walt'));
  for (const gate of w.gates.keys()) assert.equal((await w.call(employees, { as: leaver, gate })).status, 503);
  await w.start('authorizer');
  await passes(w, '/payroll/payslips/1', { as });
  await isRefused(w, employees, { as: leaver });
  for (const { decision } of undecided)
    assert.equal((await recorded(w, `decisions?id=${decision}`))['outcome'], 'unavailable');
});

test('SpiceDB that was away and came back with its data is asked again', async () => {
  const w = world();
  const as = await finance('xena');
  await w.spicedb.stop(0);
  const undecided = await w.call(employees, { as });
  assert.deepEqual([undecided.status, problemOf(undecided)], [503, 'proxy/cannot-decide']);
  await w.spicedb.start();
  await passes(w, employees, { as });
  await ready('authorizer');
});

test('what is decided while the audit room is away is in the record when it is back', async () => {
  const w = world();
  const as = await finance('yuri');
  await w.stop('audit', 'SIGKILL');
  await passes(w, employees, { as });
  const { decision } = await w.call(employees, { as, gate: 1 });
  await w.start('audit');
  const row = await recorded(w, `decisions?id=${decision}`);
  assert.deepEqual([row['outcome'], row['subject']], ['allow', 'user:yuri']);
});
