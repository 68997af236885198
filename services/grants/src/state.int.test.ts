import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { systemClock } from '@postern/runtime';
import { noTelemetry } from '@postern/telemetry';
import { commandHandler, type Order, turns } from './commands.ts';
import { grantsState } from './state.ts';

test('an event of long ago, repeated, is answered with the facts it became then: they are read from the log again', async () => {
  await using log = await openEventLog('memory:', { telemetry: noTelemetry });
  const recentMax = 2;
  const state = grantsState(log.facts, { onStrangers: () => {}, onNews: () => {} }, recentMax);
  const stopping = new AbortController();
  const following = state.follow(stopping.signal);
  const commands = commandHandler({
    facts: log.facts,
    state,
    clock: systemClock,
    telemetry: noTelemetry,
    turns: turns(),
  });
  while (state.notReady() !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  const joins = (name: string): Order => ({
    command: { kind: 'join', principal: `user:${name}` as never, attributes: { department: 'finance' } },
    inbound: { source: '/hr', id: name, digest: name },
  });
  try {
    const first = await commands(joins('ann'));
    for (const name of ['bea', 'cyd', 'dot', 'eve']) await commands(joins(name));
    const again = await commands(joins('ann'));
    assert.deepEqual(again, { ...first, repeated: true });
    assert.ok(first.facts.length > 0);
    await assert.rejects(commands({ ...joins('ann'), inbound: { source: '/hr', id: 'ann', digest: 'other' } }), {
      code: 'grants/event-conflict',
    });
    assert.deepEqual(await state.recall('/hr', 'nobody'), []);
  } finally {
    stopping.abort();
    await following;
  }
});
