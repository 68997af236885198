import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { Relationships } from '@postern/relationships';
import { openRelationships } from '@postern/relationships/open';
import { silentLogger, systemClock } from '@postern/runtime';
import {
  beginning,
  type FactDraft,
  type GrantId,
  gateSchema,
  type LoggedFact,
  Organisation,
  type PrincipalId,
  Problem,
  type RoleName,
  type Sequence,
} from '@postern/schemas';
import { draftOf, history, nthId } from '@postern/schemas/histories';
import { noTelemetry } from '@postern/telemetry';
import fc from 'fast-check';
import { graphDigest } from './projection/reconcile.ts';
import { type Projection, projection } from './projection.ts';

const project = (
  facts: Pick<EventLog['facts'], 'head' | 'follow'>,
  engine: Relationships,
): Projection & AsyncDisposable => {
  const made = projection({ facts, engine, clock: systemClock, log: silentLogger, telemetry: noTelemetry });
  return { ...made, [Symbol.asyncDispose]: made.stop };
};

const append = async (log: EventLog, ...drafts: FactDraft[]): Promise<Sequence> => {
  const appended = await log.facts.append(await log.facts.head(), drafts);
  assert.equal(appended.outcome, 'appended');
  return appended.head;
};
/** The facts of a generated history, as drafts for a real log. */
const drafts = (entries: readonly LoggedFact[]): FactDraft[] =>
  entries.map(({ fact }) => {
    assert.ok(fact);
    const { specversion: _, sequence: __, appendid: ___, datacontenttype: ____, ...draft } = fact;
    return draft as FactDraft;
  });
const reach = async (projected: Projection, sequence: Sequence) => {
  const reached = await projected.until(sequence, 10_000);
  assert.ok(reached, projected.notReady().join());
  return reached;
};
const eventually = async (holds: () => boolean, why: () => string): Promise<void> => {
  for (let waited = 0; !holds(); waited += 10) {
    assert.ok(waited < 10_000, why());
    await sleep(10);
  }
};
const digestOf = async (engine: Relationships) => graphDigest(await Array.fromAsync(engine.read()));
const rebuiltDigest = (entries: readonly LoggedFact[]) => {
  const organisation = new Organisation();
  for (const entry of entries) if (entry.fact) organisation.apply({ ...entry, fact: entry.fact });
  return graphDigest(organisation.relationships());
};

const schema = (n: number, text = gateSchema) =>
  draftOf(n, 'postern.schema.published.v1', { text, part: 1, parts: 1, digest: 'none' });
const role = 'reader' as RoleName;
const defined = (n: number) =>
  draftOf(n, 'postern.role.defined.v1', { role, rules: { allows: [{ endpoint: 'payroll/list' as never }] } });
const issued = (n: number, who = 'user:ann') =>
  draftOf(n, 'postern.grant.issued.v1', {
    grant: nthId(n) as GrantId,
    subject: who as PrincipalId,
    role,
    origin: 'direct',
    reason: 'a test',
  });
const mayList = (who = 'user:ann') => ({ resource: 'endpoint:payroll/list', permission: 'call', subject: who });

test('a fact in the log is a relationship in the engine, with the place it has reached', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using projected = project(log.facts, engine);
  projected.start();
  const { zookie } = await reach(projected, await append(log, schema(1), defined(2), issued(3)));
  assert.deepEqual(await engine.check([mayList(), mayList('user:bob')], zookie), [
    { verdict: 'has' },
    { verdict: 'has-not' },
  ]);
  assert.deepEqual(projected.notReady(), []);
  assert.equal((await engine.reached()).sequence, 3);
});

test('the graph is what the whole log means, however often the projector was stopped on the way', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  const seed = Number(process.env['POSTERN_SEED'] ?? Math.trunc(Math.random() * 1e9));
  const [choices] = fc.sample(
    fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { minLength: 300, maxLength: 300 }),
    { numRuns: 1, seed },
  );
  const entries = history(choices ?? [], gateSchema);
  let at = 0;
  for (let round = 0; at < entries.length; round++) {
    await using projected = project(log.facts, engine);
    projected.start();
    const some = entries.slice(at, at + 1 + ((seed + round * 7_919) % 60));
    at += some.length;
    const head = await append(log, ...drafts(some));
    // Every other time it is stopped wherever it stands.
    if (round % 2 === 0) await reach(projected, head);
    await projected.stop();
  }
  await using projected = project(log.facts, engine);
  projected.start();
  await reach(projected, entries.length as Sequence);
  assert.equal(await digestOf(engine), rebuiltDigest(entries), `POSTERN_SEED=${seed}`);
});

test('two projectors on one engine write each fact once and agree', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using one = project(log.facts, engine);
  await using other = project(log.facts, engine);
  const both = [one, other];
  for (const each of both) each.start();
  const [choices] = fc.sample(
    fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { minLength: 80, maxLength: 80 }),
    { numRuns: 1, seed: 11 },
  );
  const entries = history(choices ?? [], gateSchema);
  for (const draft of drafts(entries)) await append(log, draft);
  for (const each of both) await reach(each, entries.length as Sequence);
  assert.equal(await digestOf(engine), rebuiltDigest(entries));
});

test('an engine that keeps its relationships is not written again after a restart', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using first = project(log.facts, engine);
  first.start();
  await reach(first, await append(log, schema(1), defined(2), issued(3)));
  await first.stop();
  const written: unknown[] = [];
  const watched: Relationships = {
    ...engine,
    project: (each) => {
      written.push(each);
      return engine.project(each);
    },
    writeSchema: (text) => {
      written.push(text);
      return engine.writeSchema(text);
    },
  };
  await using second = project(log.facts, watched);
  second.start();
  await reach(second, 3 as Sequence);
  assert.deepEqual(written, []);
  await reach(second, await append(log, issued(4, 'user:bob')));
  assert.equal(written.length, 1);
});

test('what somebody wrote or took away past the log is mended at the next start', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using first = project(log.facts, engine);
  first.start();
  await reach(first, await append(log, schema(1), defined(2), issued(3)));
  await first.stop();
  const [forged, lost] = [
    { resource: 'role:reader', relation: 'holder', subject: 'user:mallory' },
    { resource: 'role:reader', relation: 'holder', subject: 'user:ann' },
  ];
  const at = (await engine.reached()).sequence;
  await engine.project({
    from: at,
    to: at,
    updates: [
      { operation: 'touch', relationship: forged },
      { operation: 'delete', relationship: lost },
    ],
    facts: [],
    actor: 'user:mallory',
  });
  await using second = project(log.facts, engine);
  second.start();
  const { zookie } = await reach(second, 3 as Sequence);
  assert.deepEqual(await engine.check([mayList('user:mallory'), mayList()], zookie), [
    { verdict: 'has-not' },
    { verdict: 'has' },
  ]);
  await reach(second, await append(log, issued(4, 'user:bob')));
});

test('an engine that is ahead of the log is refused, and nothing rests on it', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await engine.writeSchema(gateSchema);
  await engine.project({ from: beginning, to: 9 as Sequence, updates: [], facts: [], actor: 'another log' });
  await append(log, schema(1));
  await using projected = project(log.facts, engine);
  projected.start();
  await eventually(
    () => projected.notReady().some((each) => each.includes('has reached 9, the log ends at 1')),
    () => projected.notReady().join(),
  );
  assert.equal(await projected.until(beginning, 50), undefined);
});

test('a fact that cannot be read stops the projection in front of it', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await append(log, schema(1), defined(2));
  const strange = { ...issued(3), type: 'postern.grant.teleported.v1' } as unknown as FactDraft;
  await append(log, strange);
  await append(log, issued(4));
  await using projected = project(log.facts, engine);
  projected.start();
  await reach(projected, 2 as Sequence);
  await eventually(
    () => projected.notReady().some((each) => each.includes('fact 3 of type postern.grant.teleported.v1')),
    () => projected.notReady().join(),
  );
  assert.equal(await projected.until(3 as Sequence, 50), undefined);
  assert.deepEqual(await engine.check([mayList()]), [{ verdict: 'has-not' }]);
});

test('while the engine is away the projection names it, and goes on when it is back', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  let away = false;
  const guard = <Result>(work: () => Promise<Result>): Promise<Result> =>
    away ? Promise.reject(new Problem('authorizer/engine-unreachable', { detail: 'cut off' })) : work();
  const flaky: Relationships = {
    ...engine,
    reached: () => guard(engine.reached),
    project: async (each) => {
      const written = await guard(() => engine.project(each));
      // The answer of this write gets lost, and the engine with it for a while.
      if (each.to === 3 && written.outcome === 'written') {
        away = true;
        setTimeout(() => {
          away = false;
        }, 150);
        throw new Problem('authorizer/engine-unreachable', { detail: 'cut off' });
      }
      return written;
    },
    writeSchema: (text) => guard(() => engine.writeSchema(text)),
  };
  await using projected = project(log.facts, flaky);
  projected.start();
  await reach(projected, await append(log, schema(1), defined(2)));
  const head = await append(log, issued(3));
  await eventually(
    () => projected.notReady().some((each) => each.includes('cut off')),
    () => 'the engine was never named',
  );
  await reach(projected, head);
  await reach(projected, await append(log, issued(4, 'user:bob')));
  await eventually(
    () => projected.notReady().length === 0,
    () => projected.notReady().join(),
  );
  assert.deepEqual(await engine.check([mayList(), mayList('user:bob')]), [{ verdict: 'has' }, { verdict: 'has' }]);
});

test('an engine that was emptied is filled again from the log', async () => {
  await using log = await openEventLog('memory:');
  await using first = await openRelationships('embedded:');
  await using second = await openRelationships('embedded:');
  let now = first;
  const replaced: Relationships = {
    ...first,
    reached: () => now.reached(),
    project: (each) => now.project(each),
    writeSchema: (text) => now.writeSchema(text),
    read: () => now.read(),
    check: (items, zookie) => now.check(items, zookie),
  };
  await using projected = project(log.facts, replaced);
  projected.start();
  await reach(projected, await append(log, schema(1), defined(2), issued(3)));
  now = second;
  const { zookie } = await reach(projected, await append(log, issued(4, 'user:bob')));
  assert.deepEqual(await second.check([mayList(), mayList('user:bob')], zookie), [
    { verdict: 'has' },
    { verdict: 'has' },
  ]);
});

test('behind a schema that the engine refuses nothing is enforced until one that it takes', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using projected = project(log.facts, engine);
  projected.start();
  await reach(projected, await append(log, schema(1), defined(2), issued(3)));
  await append(log, schema(4, 'definition user {}'));
  await append(log, issued(5, 'user:bob'));
  await eventually(
    () => projected.notReady().some((each) => each.includes('fact 4')),
    () => projected.notReady().join(),
  );
  assert.equal(await projected.until(4 as Sequence, 50), undefined);
  assert.deepEqual(await engine.check([mayList(), mayList('user:bob')]), [{ verdict: 'has' }, { verdict: 'has-not' }]);
  await reach(projected, await append(log, schema(6, `${gateSchema}\ndefinition record {}\n`)));
  assert.deepEqual(await engine.check([mayList(), mayList('user:bob')]), [{ verdict: 'has' }, { verdict: 'has' }]);
  assert.deepEqual(projected.notReady(), []);
});

test('a schema in several parts takes effect with its last one', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  const half = gateSchema.length >> 1;
  const part = (n: number, text: string) =>
    draftOf(n, 'postern.schema.published.v1', { text, part: n, parts: 2, digest: 'none' });
  await using projected = project(log.facts, engine);
  projected.start();
  await append(log, part(1, gateSchema.slice(0, half)), part(2, gateSchema.slice(half)));
  await reach(projected, await append(log, defined(3), issued(4)));
  assert.deepEqual(await engine.check([mayList()]), [{ verdict: 'has' }]);
});
