/**
 * Four gates under load, a thousand revocations or as many as REVOCATIONS says: of what was answered as enforced, not one call passes
 * afterwards, at no gate. How long the answers took is printed, not judged: the machine is everybody's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { distributedWorld } from '../world/distributed.ts';
import type { Answer, CloudEvent, World } from '../world/world.ts';
import { joined, left } from './expectations.ts';
import { staged } from './staging.ts';

const revocations = Number(process.env['REVOCATIONS'] ?? 1_000);
const lanes = 4;
const peopleInLane = 100;
/** Of a hundred revocations, so many are sent one by one, and timed; the others in one batch. */
const singles = 20;
/** Timed one by one before the load begins. */
const revocationsAlone = 50;
const cycles = Math.ceil(revocations / (lanes * peopleInLane));

const world = staged(() => distributedWorld({ proxies: 4 }));

let batches = 0;
const batch = async (w: World, events: readonly CloudEvent[], gate: number): Promise<void> => {
  const id = ++batches;
  const body = JSON.stringify(
    events.map((event, index) => ({
      specversion: '1.0',
      id: `batch-${id}-${index}`,
      source: '/e2e/batches',
      ...event,
    })),
  );
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const answer = await w.call('/.postern/events?wait=enforced', { method: 'POST', gate, headers, body });
  assert.deepEqual([answer.status, answer.body['enforced']], [202, true], answer.text);
};
/** In ms. Throws where it was not answered as enforced. */
const timed = async (revoke: () => Promise<Answer>): Promise<number> => {
  const begun = performance.now();
  const answer = await revoke();
  assert.deepEqual([answer.status, answer.body['enforced']], [202, true], answer.text);
  return performance.now() - begun;
};
const quantiles = (took: number[]): string => {
  took.sort((a, b) => a - b);
  const at = (share: number): string => (took[Math.floor((took.length - 1) * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`;
};

test(`of ${cycles * lanes * peopleInLane} confirmed revocations at four gates under load, not one is followed by a call that passes`, async () => {
  const w = world();
  const gates = [...w.gates.keys()];
  const late: string[] = [];
  const took: number[] = [];
  const counts = { passed: 0, refused: 0, cut: 0 };
  /** Even while the person is confirmed to be gone. */
  const generations = new Map<string, number>();
  const tokens = new Map<string, string>();
  let over = false;

  const call = async (name: string, gate: number): Promise<void> => {
    const begunIn = generations.get(name) ?? 0;
    const as = { token: tokens.get(name) ?? '' };
    const status = await w.call('/payroll/employees', { as, gate }).then(
      (answer) => answer.status,
      () => 0,
    );
    counts[status === 200 ? 'passed' : status === 0 ? 'cut' : 'refused']++;
    if (status === 200 && begunIn % 2 === 0 && generations.get(name) === begunIn)
      late.push(`${name} passed gate ${gate} in ${begunIn}`);
  };
  const turn = (name: string): void => void generations.set(name, (generations.get(name) ?? 0) + 1);
  const names = (lane: number): string[] => Array.from({ length: peopleInLane }, (_, index) => `gone-${lane}-${index}`);
  const everywhere = (people: readonly string[]): Promise<unknown> =>
    Promise.all(
      gates.map(async (gate) => {
        for (const name of people) await call(name, gate);
      }),
    );

  const lane = async (number: number): Promise<void> => {
    const people = names(number);
    for (const name of people) tokens.set(name, await w.token(name));
    for (let cycle = 0; cycle < cycles; cycle++) {
      const gate = (number + cycle) % gates.length;
      for (const name of people) turn(name);
      await batch(
        w,
        people.map((name) => joined(`user:${name}`, 'finance')),
        gate,
      );
      await everywhere(people);
      for (const name of people.slice(0, singles)) {
        took.push(await timed(() => w.send(left(`user:${name}`), { wait: 'enforced', gate })));
        turn(name);
        await everywhere([name]);
      }
      const others = people.slice(singles);
      await batch(
        w,
        others.map((name) => left(`user:${name}`)),
        gate,
      );
      for (const name of others) turn(name);
      await everywhere(others);
      process.stdout.write(
        `lane ${number}: ${(cycle + 1) * peopleInLane} of ${cycles * peopleInLane}, late so far: ${late.length}\n`,
      );
    }
  };
  const anybody = names(0).flatMap((_, index) =>
    Array.from({ length: lanes }, (_lane, number) => `gone-${number}-${index}`),
  );
  // A steady load beside the lanes' own calls, and not all that the machine can bear: four gates, a log, two databases and an engine share its cores.
  const caller = async (gate: number): Promise<void> => {
    while (!over) {
      await call(anybody[Math.floor(Math.random() * anybody.length)] ?? '', gate);
      await setTimeout(5);
    }
  };
  const alone: number[] = [];
  for (let count = 0; count < revocationsAlone; count++) {
    await w.send(joined('user:alone', 'finance'), { wait: 'enforced' });
    alone.push(await timed(() => w.send(left('user:alone'), { wait: 'enforced', gate: count % gates.length })));
  }
  const callers = gates.map(caller);
  try {
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  } finally {
    over = true;
    await Promise.all(callers);
  }
  process.stdout.write(
    `acknowledged as enforced by four gates: ${alone.length} revocations with nothing beside, ${quantiles(alone)}; ` +
      `${took.length} under load, ${quantiles(took)}; calls: ${counts.passed} passed, ${counts.refused} refused, ${counts.cut} cut\n`,
  );
  assert.deepEqual(late.slice(0, 10), []);
  assert.ok(counts.passed >= cycles * lanes * peopleInLane, 'everyone had access before it was taken away');
  // Far from what it takes: a gate that is away for its lease takes five seconds.
  assert.ok((took[Math.floor(took.length * 0.99)] ?? 0) < 4_000);
});
