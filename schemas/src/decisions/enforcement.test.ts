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
  const take = (at: number, beats: readonly Heartbeat[], atEnd = true, askedAt = at): void =>
    heard.take({
      records: beats.map((beat) => ({ beat })),
      atEnd,
      askedAt,
      takenAt: at,
    });
  return { heard, take, since: heard.ends };
};

test('a fact is enforced when every proxy heard of has reached it', () => {
  const { heard, take, since } = reader();
  take(0, [beatOf('a', 5), beatOf('b', 4)]);
  const waiting = since();
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['b'] });
  take(10, [beatOf('b', 5)]);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'enforced', proxies: 2, lapsed: [] });
});

test('nobody is taken for all there are before a proxy says that it enforces the fact, or nothing newer came twice', () => {
  const { heard, take, since } = reader();
  take(0, [beatOf('stopped', 1, 'stopped')]);
  const waiting = since();
  const unread = { outcome: 'not-yet', waitingFor: ['the enforcement stream'] };
  // The first "nothing newer" may have been fetched before the fact was durable, and another proxy announced between.
  assert.deepEqual(heard.verdict(five, waiting), unread);
  take(1, []);
  assert.deepEqual(heard.verdict(five, waiting), unread);
  take(2, [beatOf('c', 4, 'starting')], false);
  assert.deepEqual(heard.verdict(five, waiting), unread);
  take(3, [beatOf('d', 5)], false);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'not-yet', waitingFor: ['c'] });
});

test('where no proxy is, nothing is waited for but that this is known', () => {
  const { heard, take, since } = reader();
  const waiting = since();
  take(1, []);
  take(2, []);
  assert.deepEqual(heard.verdict(five, waiting), { outcome: 'enforced', proxies: 0, lapsed: [] });
});

test('a proxy that is silent for its lease and a little is waited for no longer, one that stopped not at all', () => {
  const { heard, take, since } = reader();
  take(0, [beatOf('a', 4), beatOf('gone', 1, 'stopped')]);
  const waiting = since();
  take(500, []);
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
  take(5, []);
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
