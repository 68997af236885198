/**
 * What an HR system says, shuffled, repeated, cut into batches of any size, with another writer between them and a process that ends at
 * any append: the same people, roles, groups and relations come of it as of the same events one after the other. Through the real intake,
 * on a real log. POSTERN_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { type Clock, systemClock } from '@postern/runtime';
import { type GroupId, Organisation, RoleName, RoleRules, relationshipText, systemActor } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import fc from 'fast-check';
import { commandHandler, turns } from '../commands.ts';
import { inForce } from '../decide/hr-room.ts';
import { successionHandler } from '../in-succession.ts';
import { readEvents } from '../inbound/cloud-event.ts';
import { grantsState } from '../state.ts';
import { intake } from './intake.ts';
import { mappings } from './mappings.ts';
import { quarantine } from './quarantine.ts';

const people = ['user:ann', 'user:bob', 'user:cat'];
const groups = ['group:outer', 'group:inner'];
const day = (n: number): string => new Date(Date.UTC(2026, 0, n)).toISOString();
const clock: Clock = { ...systemClock, now: () => Date.UTC(2026, 5, 1) };

const person = fc.record({
  type: fc.constantFrom('person.joined', 'person.joined', 'person.moved', 'person.left'),
  subject: fc.constantFrom(...people),
  data: fc.record({ department: fc.constantFrom('finance', 'hr'), title: fc.constantFrom('I', 'II') }),
});
const membership = fc.constantFrom(...groups).chain((subject) => {
  const members = subject === groups[0] ? [...people, 'group:inner'] : people;
  return fc.record({
    type: fc.constant('group.changed'),
    subject: fc.constant(subject),
    data: fc.record({ add: fc.subarray(members), remove: fc.subarray(members) }),
  });
});
const relation = fc.record({
  type: fc.constantFrom('object.related', 'object.unrelated'),
  subject: fc.constant('doc:1'),
  data: fc.record({ relation: fc.constant('viewer'), subject: fc.constantFrom(...people, 'group:inner#member') }),
});
const deletion = fc.record({
  type: fc.constant('group.deleted'),
  subject: fc.constantFrom(...groups),
  data: fc.constant({}),
});
const nonsense = fc.record({
  type: fc.constant('person.promoted'),
  subject: fc.constantFrom(...people),
  data: fc.constant({}),
});
const histories = fc
  .uniqueArray(
    fc.record({
      what: fc.oneof(
        { weight: 6, arbitrary: person },
        { weight: 5, arbitrary: membership },
        { weight: 3, arbitrary: relation },
        { weight: 1, arbitrary: deletion },
        { weight: 1, arbitrary: nonsense },
      ),
      day: fc.integer({ min: 1, max: 9 }),
      said: fc.integer({ min: 0, max: 10_000 }),
    }),
    { maxLength: 40, size: 'max', selector: ({ day, said }) => `${day}/${said}` },
  )
  .map((all) =>
    all.map(({ what, day: effective, said }, index) => ({
      specversion: '1.0',
      source: '/hr',
      id: `e${index}`,
      type: `postern.${what.type}.v1`,
      subject: what.subject,
      time: new Date(Date.UTC(2025, 0, 1) + said * 1_000).toISOString(),
      data: what.type === 'person.promoted' ? {} : { ...what.data, effective: day(effective) },
    })),
  );
type Event = ReturnType<(typeof histories)['generate']>['value'][number];

/** The intake on `log`, as a process has it that has just been started. */
const started = async (log: EventLog) => {
  const stopping = new AbortController();
  const state = grantsState(log.facts, { onStrangers: () => {}, onNews: () => {} });
  const following = state.follow(stopping.signal);
  await state.reached(await log.facts.head());
  while (state.notReady() !== undefined) await new Promise((resolve) => setImmediate(resolve));
  const deps = { facts: log.facts, state, clock, telemetry: noTelemetry, turns: turns() };
  const commands = commandHandler(deps);
  const shelf = quarantine(log.quarantine, commands, state, () => {});
  const rules = mappings([]);
  const taking = intake({
    commands,
    inSuccession: successionHandler(deps),
    quarantine: shelf,
    mappings: rules,
    clock,
  });
  const handed = (event: Event) =>
    readEvents({ 'content-type': 'application/cloudevents+json' }, new TextEncoder().encode(JSON.stringify(event))).map(
      (part) => ({ part, origin: { from: 'hr', position: event.id, actor: systemActor('feed/hr') } }),
    );
  return {
    commands,
    take: async (events: readonly Event[]) => {
      for (const { part, origin } of events.flatMap(handed)) await taking.take(part, origin);
    },
    takeAll: (events: readonly Event[]) => taking.takeAll(events.flatMap(handed), { recall: false }),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await following.catch(() => {});
      await rules[Symbol.asyncDispose]();
    },
  };
};

const schema = `definition user {}
definition group { relation member: user }
definition doc { relation viewer: user | group#member }`;

const define = async (commands: Awaited<ReturnType<typeof started>>['commands'], role: string, department: string) =>
  commands({
    command: {
      kind: 'define-role',
      role: RoleName.parse(role),
      rules: RoleRules.parse({ allows: [{ service: 'payroll', access: 'read' }], birthright: { department } }),
    },
  });

const found = async (log: EventLog) => {
  const organisation = new Organisation();
  const ids: string[] = [];
  const appends = new Map<string, string>();
  const quarantined: string[] = [];
  const stop = new AbortController();
  for await (const { entries, atHead } of log.facts.follow(organisation.sequence, { signal: stop.signal })) {
    for (const { fact, ...entry } of entries) {
      assert.ok(fact);
      organisation.apply({ ...entry, fact });
      if (fact.type === 'postern.event.quarantined.v1') quarantined.push(fact.data.position);
      if (fact.inboundsource !== '/hr' || fact.inboundid === undefined) continue;
      // All facts of an event stand in one append, so an event is there whole, or not at all.
      const before = appends.get(fact.inboundid);
      assert.ok(before === undefined || before === fact.appendid, `${fact.inboundid} stands in two appends`);
      if (before === undefined) ids.push(fact.inboundid);
      appends.set(fact.inboundid, fact.appendid);
    }
    if (atHead) stop.abort();
  }
  return {
    ids: ids.sort(),
    quarantined: quarantined.sort(),
    ...inForce(organisation),
    memberships: groups.map((group) => [...organisation.groups.direct(group as GroupId)].sort()),
    inside: groups.map((group) => [...organisation.groups.inside(group as GroupId)].sort()),
    relations: Array.from(organisation.objects.all(), relationshipText).sort(),
  };
};

test('histories that are shuffled, repeated, batched, raced and interrupted end in the same state, with nothing twice', async (context) => {
  const seed = Number(process.env['POSTERN_SEED'] ?? randomInt(2 ** 31));
  context.diagnostic(`POSTERN_SEED=${seed}`);
  const disturbances = fc.record({
    order: fc.infiniteStream(fc.nat(1_000_000)),
    sizes: fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
    /** The append at which the process ends, each time it has been started. */
    ends: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  });
  let held = 0;
  let lost = 0;
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(histories, disturbances, async (history, { order, sizes, ends }) => {
      await using plainLog = await openEventLog('memory:');
      await using plain = await started(plainLog);
      await plain.commands({ command: { kind: 'publish-schema', text: schema } });
      await define(plain.commands, 'reader', 'finance');
      await plain.take(history);
      const wanted = await found(plainLog);
      held += wanted.memberships.flat().length + wanted.relations.length + wanted.grants.length;

      await using log = await openEventLog('memory:');
      {
        await using first = await started(log);
        await first.commands({ command: { kind: 'publish-schema', text: schema } });
        await define(first.commands, 'reader', 'finance');
      }
      const key = order[Symbol.iterator]();
      const shuffled = [...history, ...history.slice(0, history.length / 2)]
        .map((event) => ({ event, at: Number(key.next().value) }))
        .sort((a, b) => a.at - b.at)
        .map(({ event }) => event);
      for (const endsAt of [...ends, Number.POSITIVE_INFINITY]) {
        await using other = await started(log);
        let appends = 0;
        let racing = 0;
        const disturbed: EventLog = {
          ...log,
          facts: {
            head: () => log.facts.head(),
            follow: (...args) => log.facts.follow(...args),
            append: async (expected, drafts) => {
              if (++appends === endsAt) {
                ended++;
                // Written or not: it does not live to hear of it.
                if (endsAt % 2 === 0) await log.facts.append(expected, drafts);
                throw new Error('the process ends here');
              }
              if (appends % 3 === 1) await define(other.commands, `noise-${appends}-${racing++}`, 'nowhere');
              const appended = await log.facts.append(expected, drafts);
              if (appended.outcome === 'lost') lost++;
              return appended;
            },
          },
        };
        await using process = await started(disturbed);
        const size = sizes[Symbol.iterator]();
        try {
          for (let from = 0; from < shuffled.length; ) {
            const count = Number(size.next().value);
            await process.takeAll(shuffled.slice(from, from + count));
            from += count;
          }
          break;
        } catch (error) {
          assert.match(String(error), /the process ends here/);
        }
      }
      assert.deepEqual(await found(log), wanted);
    }),
    { numRuns: 60, seed },
  );
  context.diagnostic(
    `${held} memberships, relations and grants; ${lost} appends were lost to another writer, ${ended} processes ended`,
  );
  assert.ok(held > 50 && lost > 0 && ended > 0);
});
