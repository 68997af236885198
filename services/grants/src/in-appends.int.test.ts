import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { systemClock } from '@postern/runtime';
import { appendBytesMax, type PrincipalId, RoleName, RoleRules, type Sequence } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { commandHandler, turns } from './commands.ts';
import type { Command } from './decide/command.ts';
import { decide } from './decide/decide.ts';
import { grantsState } from './state.ts';

const people = 3_000;
const role = RoleName.parse('everyone');
const defines = (rules: object): Command => ({ kind: 'define-role', role, rules: RoleRules.parse(rules) });
const inbound = { source: '/test', id: 'one', digest: 'd' };

/** People who have joined, and a room that carries commands out; `appends` is how many appends may still succeed. */
const stage = async (log: EventLog) => {
  const stopping = new AbortController();
  const state = grantsState(log.facts, { onStrangers: () => {}, onNews: () => {} });
  const following = state.follow(stopping.signal);
  let head = 0 as Sequence;
  let ids = 0;
  const circumstances = () => {
    const newId = () => `0189ffff-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`;
    const now = '2026-11-20T08:00:00Z';
    return {
      now,
      occurred: now,
      actor: { authtype: 'system', authid: 'system:test' } as never,
      newId,
      correlation: newId(),
    };
  };
  for (let n = 0; n < people; n += 500) {
    const drafts = Array.from({ length: 500 }, (_, at) => {
      const principal = `user:u${n + at}` as PrincipalId;
      const command: Command = {
        kind: 'join',
        principal,
        attributes: { department: (n + at) % 2 === 0 ? 'a' : 'b', location: 'x' },
      };
      const decided = decide(command, state.organisation, circumstances());
      return decided.outcome === 'facts' ? decided.facts : [];
    }).flat();
    head = (await log.facts.append(head, drafts)).head;
  }
  await state.reached(head);
  const bound = { appends: Number.POSITIVE_INFINITY };
  const facts: EventLog['facts'] = {
    ...log.facts,
    append: (...args) => {
      if (bound.appends-- <= 0) throw new Error('the process ends here');
      return log.facts.append(...args);
    },
    head: () => log.facts.head(),
    follow: (...args) => log.facts.follow(...args),
  };
  const commands = commandHandler({ facts, state, clock: systemClock, telemetry: noTelemetry, turns: turns() });
  return {
    ...{ state, commands, bound },
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await following.catch(() => undefined);
    },
  };
};

test('a birthright that thousands hold is given in several appends, and a repetition is known by the last of them', async () => {
  await using log = await openEventLog('memory:');
  await using room = await stage(log);
  const order = {
    command: defines({ allows: [{ service: 'api', access: 'read' }], birthright: { location: 'x' } }),
    inbound,
  };
  const done = await room.commands(order);
  assert.equal(room.state.organisation.grants.size, people);
  assert.equal(done.sequence, room.state.organisation.sequence);
  assert.equal(done.facts.length, people + 1);
  const bytes = done.facts.reduce((sum, fact) => sum + JSON.stringify(fact).length, 0);
  assert.ok(bytes > appendBytesMax, 'it would not have fitted one append');
  assert.ok(new Set(done.facts.map(({ appendid }) => appendid)).size > 1);
  assert.equal((await room.commands(order)).repeated, true);
});

test('what ends is taken before the role changes, and what begins is given behind it', async () => {
  await using log = await openEventLog('memory:');
  await using room = await stage(log);
  await room.commands({
    command: defines({ allows: [{ service: 'api', access: 'read' }], birthright: { location: 'x' } }),
  });
  const done = await room.commands({
    command: defines({ allows: [{ service: 'api', access: 'admin' }], birthright: { location: 'x', department: 'a' } }),
  });
  const types = done.facts.map(({ type }) => type);
  const changed = types.indexOf('postern.role.changed.v1');
  assert.equal(types.lastIndexOf('postern.grant.revoked.v1') < changed, true, 'nobody holds the wider role in between');
  assert.equal(room.state.organisation.grants.size, people / 2);
});

test('interrupted between two appends it takes nothing back, and whoever says it again gets the rest, nobody twice', async () => {
  await using log = await openEventLog('memory:');
  await using room = await stage(log);
  const order = {
    command: defines({ allows: [{ service: 'api', access: 'read' }], birthright: { location: 'x' } }),
    inbound,
  };
  room.bound.appends = 2;
  await assert.rejects(room.commands(order), /ends here/);
  const first = room.state.organisation.grants.size;
  assert.ok(first > 0 && first < people, `${first}`);
  room.bound.appends = Number.POSITIVE_INFINITY;
  const done = await room.commands(order);
  assert.equal(done.repeated, false);
  assert.equal(room.state.organisation.grants.size, people);
  const holders = new Set([...room.state.organisation.grants.values()].map(({ subject }) => subject));
  assert.equal(holders.size, people);
});
