import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handClock } from '../trial/clock.ts';
import { openLease } from './lease.ts';

test('nothing is trusted before an acknowledgement was heard, and the log after it', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  assert.equal(lease.holds(), false);
  lease.heard(clock.elapsed());
  assert.equal(lease.holds(), false);
  clock.advance(1);
  lease.acknowledged(clock.elapsed());
  assert.equal(lease.holds(), false, 'the log was heard before anybody knew of this proxy');
  lease.heard(clock.elapsed());
  assert.equal(lease.holds(), true);
});

test('the lease runs from when the log was asked, and from when the acknowledged beat was sent', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  lease.acknowledged(clock.elapsed());
  lease.heard(clock.elapsed());
  clock.advance(4_999);
  lease.acknowledged(clock.elapsed());
  assert.equal(lease.holds(), true);
  clock.advance(1);
  assert.equal(lease.holds(), false, 'only one of the two');
  // Told now, but as of 4 s ago: what has come into the log since is not known.
  lease.heard(clock.elapsed() - 4_000);
  clock.advance(999);
  assert.equal(lease.holds(), true);
  clock.advance(1);
  assert.equal(lease.holds(), false);
  lease.heard(clock.elapsed());
  clock.advance(2_999);
  assert.equal(lease.holds(), true);
  clock.advance(1_000);
  assert.equal(lease.holds(), false, 'the beat is a lease old');
});

test('a proxy that was silent for its lease trusts only what the log said after it was heard again', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  lease.acknowledged(clock.elapsed());
  clock.advance(4_000);
  lease.heard(clock.elapsed());
  assert.equal(lease.holds(), true);
  // Nobody waits for this proxy any more from here on, and nothing has told it so.
  clock.advance(1_500);
  lease.acknowledged(clock.elapsed());
  assert.equal(lease.holds(), false, 'the log was heard 1.5 s ago, but before the silence ended');
  lease.heard(clock.elapsed() - 1);
  assert.equal(lease.holds(), false);
  lease.heard(clock.elapsed());
  assert.equal(lease.holds(), true);
});

test('a beat that is acknowledged late does not shorten what a later one gave', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  clock.advance(3_000);
  lease.acknowledged(3_000);
  lease.heard(clock.elapsed());
  lease.acknowledged(1_000);
  clock.advance(4_999);
  assert.equal(lease.holds(), true);
});
