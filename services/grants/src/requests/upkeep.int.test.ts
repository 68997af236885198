import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { type Clock, silentLogger, systemClock } from '@postern/runtime';
import { beginning, type Fact, type SubjectId } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { commandHandler, turns } from '../commands.ts';
import type { Command } from '../decide/command.ts';
import { by, days, defines, gives, joins, person, role } from '../decide/life-story.ts';
import { grantsState } from '../state.ts';
import { upkeep } from './upkeep.ts';

const instanceOf = async (facts: EventLog['facts'], clock: Clock) => {
  const stopping = new AbortController();
  const state = grantsState(facts, { onStrangers: () => {}, onNews: () => {} });
  const following = state.follow(stopping.signal);
  while (state.notReady() !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    state,
    commands: commandHandler({ facts, state, clock, telemetry: noTelemetry, turns: turns() }),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await following;
    },
  };
};

const allFacts = async (log: EventLog): Promise<Fact[]> => {
  const found: Fact[] = [];
  for await (const { entries, atHead } of log.facts.follow(beginning, { signal: AbortSignal.timeout(10_000) })) {
    found.push(...entries.flatMap(({ fact }) => fact ?? []));
    if (atHead) break;
  }
  return found;
};

test('what time asks for happens once, however many instances look at the clock, and an instance that starts late does what is due', async () => {
  await using log = await openEventLog('memory:');
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };
  await using one = await instanceOf(log.facts, clock);
  await using other = await instanceOf(log.facts, clock);
  const run = async (command: Command): Promise<void> => void (await one.commands({ command }));
  const until = (ms: number): string => new Date(clock.now() + ms).toISOString();
  for (const command of [
    joins('boss'),
    joins('ann', { manager: 'user:boss' }),
    joins('bob', { manager: 'user:boss' }),
    defines('pay', { approvers: ['manager'], breakGlass: { for: ['user:bob'] } }),
    defines('old'),
    gives('bob', 'old'),
    { kind: 'ask-for-role', subject: person('ann'), requester: person('ann'), role: role('pay'), reason: 'x' },
    { kind: 'open-break-glass', role: role('pay'), deciding: by('bob'), reason: 'x' },
    {
      kind: 'issue-key',
      credential: 'credential:k' as never,
      owner: person('ann'),
      digest: 'k'.repeat(43),
      roles: [role('old')],
      until: until(days(1)),
      reason: 'x',
    },
    {
      kind: 'open-review',
      title: 'all',
      scope: { role: role('old') },
      reviewer: 'manager',
      escalateTo: 'user:boss',
      due: until(days(8)),
      undecided: 'revoke',
    },
  ] satisfies Command[])
    await run(command);
  const before = (await allFacts(log)).length;
  const both = async (): Promise<void> => {
    const head = await log.facts.head();
    await Promise.all([one.state.reached(head), other.state.reached(head)]);
    await Promise.all([upkeep(one.commands, silentLogger), upkeep(other.commands, silentLogger)]);
  };
  const news = async () => (await allFacts(log)).slice(before).map(({ type }) => type.replace(/^postern\.|\.v1$/g, ''));

  await both();
  assert.deepEqual(await news(), []);
  ahead = days(5);
  await both();
  const early = ['grant.expired', 'credential.expired', 'breakglass.closed', 'review.reminded'];
  assert.deepEqual(await news(), early);
  ahead = days(7);
  await both();
  assert.deepEqual(await news(), [...early, 'grant.unanswered', 'review.escalated']);
  ahead = days(9);
  await using late = await instanceOf(log.facts, clock);
  await Promise.all([upkeep(late.commands, silentLogger), both()]);
  const closed = ['review.decided', 'grant.revoked', 'review.closed'];
  assert.deepEqual(await news(), [...early, 'grant.unanswered', 'review.escalated', ...closed]);
  assert.deepEqual(late.state.organisation.grantsOf(person('bob') as unknown as SubjectId), []);
});
