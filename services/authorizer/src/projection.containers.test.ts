import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type StartedSpiceDb, startSpiceDb } from '@postern/containers';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { Relationships } from '@postern/relationships';
import { openRelationships } from '@postern/relationships/open';
import { silentLogger, systemClock } from '@postern/runtime';
import { type FactDraft, gateSchema, type LoggedFact, Organisation, type Sequence } from '@postern/schemas';
import { draftOf, history } from '@postern/schemas/histories';
import { noTelemetry } from '@postern/telemetry';
import fc from 'fast-check';
import { graphDigest } from './projection/reconcile.ts';
import { type Projection, projection } from './projection.ts';

let server: StartedSpiceDb;
before(async () => {
  server = await startSpiceDb();
});
after(() => server[Symbol.asyncDispose]());

const open = () => openRelationships(`spicedb://${server.endpoint}?token=${server.presharedKey}`);
const follow = (log: EventLog, engine: Relationships): Projection & AsyncDisposable => {
  const made = projection({ facts: log.facts, engine, clock: systemClock, log: silentLogger, telemetry: noTelemetry });
  made.start();
  return { ...made, [Symbol.asyncDispose]: made.stop };
};
const drafts = (entries: readonly LoggedFact[]): FactDraft[] =>
  entries.map(({ fact }) => {
    const { specversion: _, sequence: __, appendid: ___, datacontenttype: ____, ...draft } = fact ?? assert.fail();
    return draft as FactDraft;
  });
/** Two teams of 2,500: each of their facts takes the engine several calls. */
const crowd = (n: number, keep: number): FactDraft =>
  draftOf(n, 'postern.group.changed.v1', {
    group: `group:crowd${n % 2}` as never,
    add: Array.from({ length: 2_500 }, (_, index) => `user:u${index}`).filter(
      (_, index) => index % 3 !== keep,
    ) as never,
    remove: Array.from({ length: 2_500 }, (_, index) => `user:u${index}`).filter(
      (_, index) => index % 3 === keep,
    ) as never,
  });
const meant = async (log: EventLog): Promise<string> => {
  const organisation = new Organisation();
  const controller = new AbortController();
  for await (const batch of log.facts.follow(0 as Sequence, { signal: controller.signal })) {
    for (const entry of batch.entries) organisation.apply({ ...entry, fact: entry.fact ?? assert.fail() });
    if (batch.atHead) break;
  }
  return graphDigest(organisation.relationships());
};

test('projectors of several processes race over large writes, come and go, and the graph is what the log means', async () => {
  await using log = await openEventLog('memory:');
  await using first = await open();
  await using second = await open();
  await using third = await open();
  const [choices] = fc.sample(
    fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { minLength: 60, maxLength: 60 }),
    { numRuns: 1, seed: 5 },
  );
  const entries = drafts(history(choices ?? [], gateSchema));
  await using one = follow(log, first);
  let head = 0 as Sequence;
  for (let at = 0; at < entries.length; at += 6) {
    const some = entries.slice(at, at + 6);
    const appended = await log.facts.append(head, [...some, crowd(1_000 + at, at % 3)].slice(0, at === 0 ? 6 : 7));
    head = appended.head;
    await using two = follow(log, second);
    // Some are stopped wherever they stand, some after they have caught up.
    if (at % 12 === 0) assert.ok(await two.until(head, 20_000), two.notReady().join());
  }
  await using late = follow(log, third);
  for (const each of [one, late]) assert.ok(await each.until(head, 20_000), each.notReady().join());
  assert.equal(graphDigest(await Array.fromAsync(third.read())), await meant(log));

  // A server without a disk comes back empty: it is filled again, and decisions wait for that.
  await server.stop(0);
  await server.start();
  const last = await log.facts.append(head, [crowd(3_000, 1)]);
  assert.ok(await late.until(last.head, 20_000), late.notReady().join());
  assert.equal(graphDigest(await Array.fromAsync(third.read())), await meant(log));
});
