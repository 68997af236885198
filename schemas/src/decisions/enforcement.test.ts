import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sequence } from '../ids.ts';
import type { Heartbeat } from './decision.ts';
import { type Enforcement, enforcementHeard } from './enforcement.ts';

const leaseMs = 1_000;
const five = 5 as Sequence;
const beatOf = (instance: string, enforces: number, state: Heartbeat['state'] = 'serving') =>
  ({ instance, enforces, state, leaseMs }) as unknown as Heartbeat;

/** A reader whose stream brings these heartbeats at once, and says at each of these instants that there is nothing newer. */
const reader = () => {
  const heard: Enforcement = enforcementHeard();
  let offset = 0;
  const take = (at: number, beats: readonly Heartbeat[], atEnd = true, askedAt = at): void =>
    heard.take({
      records: beats.map((beat) => ({ partition: '0', offset: offset++, beat })),
      atEnd,
      askedAt,
      takenAt: at,
    });
  return { heard, take, since: () => ({ end: { '0': offset }, ends: heard.ends() }) };
};

test('a fact is enforced when every proxy heard of has reached it, and not before the heartbeats were read to their end', () => {
  const { heard, take, since } = reader();
  take(0, [beatOf('a', 5), beatOf('b', 4)]);
  const waiting = since();
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['b'] });
  assert.deepEqual(heard.verdict(five, { end: { '0': 3 }, ends: 1 }), {
    outcome: 'not-yet',
    waitingFor: ['the enforcement stream'],
  });
  take(10, [beatOf('b', 5)]);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'enforced', proxies: 2, lapsed: [] });
});

test('a proxy that is silent for its lease and a little is waited for no longer, one that stopped not at all', () => {
  const { heard, take, since } = reader();
  take(0, [beatOf('a', 4), beatOf('gone', 1, 'stopped')]);
  const waiting = since();
  take(1_000, []);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['a'] });
  take(1_019, []);
  assert.equal(heard.verdict(five, waiting).outcome, 'not-yet', 'clocks run apart by two percent');
  take(1_020, []);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'enforced', proxies: 0, lapsed: ['a'] });
});

test('whoever is cut off from the heartbeats takes nobody for silent', () => {
  const { heard, take, since } = reader();
  take(0, [beatOf('a', 4)]);
  const waiting = since();
  // Ten seconds in which nothing is read; then a fetch that was asked for before the break brings "nothing newer".
  take(10_000, [], true, 10);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['a'] });
  // And one that has more behind it says nothing about silence, however late it is.
  take(20_000, [], false);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['a'] });
  take(20_001, [beatOf('a', 4)]);
  take(20_900, []);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['a'] }, 'it went on beating');
});
