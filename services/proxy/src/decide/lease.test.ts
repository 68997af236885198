import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handClock } from '../trial/clock.ts';
import { openLease } from './lease.ts';

test('nothing is trusted before both the log and the acknowledgement were heard', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  assert.equal(lease.holds(), false);
  lease.heard();
  assert.equal(lease.holds(), false);
  lease.acknowledged(clock.elapsed());
  assert.equal(lease.holds(), true);
});

test('the lease runs from the last word of the log, and from when the acknowledged beat was sent', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  lease.heard();
  lease.acknowledged(clock.elapsed());
  clock.advance(4_999);
  assert.equal(lease.holds(), true);
  clock.advance(1);
  assert.equal(lease.holds(), false);
  lease.heard();
  assert.equal(lease.holds(), false, 'only one of the two');
  // Acknowledged now, but sent 4 s ago: others count from then.
  lease.acknowledged(clock.elapsed() - 4_000);
  clock.advance(999);
  assert.equal(lease.holds(), true);
  clock.advance(1);
  assert.equal(lease.holds(), false);
});

test('a beat that is acknowledged late does not shorten what a later one gave', () => {
  const clock = handClock();
  const lease = openLease(clock, 5_000);
  clock.advance(3_000);
  lease.heard();
  lease.acknowledged(3_000);
  lease.acknowledged(1_000);
  clock.advance(4_999);
  assert.equal(lease.holds(), true);
});
