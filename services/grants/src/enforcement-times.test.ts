import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@postern/runtime';
import type { Fact, Heartbeat } from '@postern/schemas';
import { enforcementTimes } from './enforcement-times.ts';

const epoch = Date.UTC(2030, 0, 1);
const at = (ms: number): string => new Date(epoch + ms).toISOString();

const world = () => {
  let ms = 0;
  const clock = { now: () => epoch + ms, elapsed: () => ms } as Clock;
  const times = enforcementTimes(clock);
  return {
    times,
    beat: (when: number, instance: string, enforces: number, state: Heartbeat['state'] = 'serving') => {
      ms = when;
      times.heard([{ instance, state, enforces, leaseMs: 1_000, at: at(when) } as unknown as Heartbeat]);
    },
    fact: (when: number, sequence: number, type: Fact['type'] = 'postern.grant.revoked.v1') => {
      times.observe([
        { type, sequence: String(sequence), subject: 'user:ann', recordedtime: at(when) } as unknown as Fact,
      ]);
    },
  };
};

test('how long a revocation took is told of each proxy, whichever of the two was heard of first', () => {
  const { times, beat, fact } = world();
  beat(0, 'a', 6);
  beat(0, 'b', 6);
  beat(130, 'a', 7);
  fact(100, 7);
  assert.deepEqual(times.shown().takenAway[0]?.reached, { a: 30 });
  assert.deepEqual(times.shown().takenAway[0]?.waitingFor, ['b']);
  beat(450, 'b', 9);
  beat(600, 'a', 9);
  assert.deepEqual(times.shown().takenAway[0]?.reached, { a: 30, b: 350 });
  assert.deepEqual(times.shown().takenAway[0]?.waitingFor, []);
});

test('a proxy that is silent beyond its lease has lapsed and is waited for no longer; a fact that gives access is not told of', () => {
  const { times, beat, fact } = world();
  beat(0, 'a', 6);
  fact(10, 7);
  fact(20, 8, 'postern.grant.issued.v1');
  beat(2_000, 'b', 8);
  const { proxies, takenAway } = times.shown();
  assert.deepEqual(
    proxies.map(({ instance, state }) => [instance, state]),
    [
      ['a', 'lapsed'],
      ['b', 'serving'],
    ],
  );
  assert.deepEqual(
    takenAway.map(({ sequence, waitingFor }) => [sequence, waitingFor]),
    [[7, []]],
  );
});
