/**
 * How long the gate may trust what it knows. Both have to have happened within the lease: the log said that there is nothing newer,
 * and it acknowledged a heartbeat. The second is what others count on: whoever waits for an enforcement stops waiting for a proxy
 * that has been silent for its lease, and that proxy must have stopped allowing by then. So it counts from when the beat was sent.
 */
import type { Clock } from '@postern/runtime';

export type Lease = {
  /** The log has confirmed that everything in it has been read. */
  readonly heard: () => void;
  /** A heartbeat sent at `sentAt` (monotonic ms) was acknowledged. */
  readonly acknowledged: (sentAt: number) => void;
  readonly holds: () => boolean;
  /** Monotonic ms at which it ran out or will. */
  readonly until: () => number;
};

export const openLease = (clock: Pick<Clock, 'elapsed'>, leaseMs: number): Lease => {
  let heardAt = Number.NEGATIVE_INFINITY;
  let beatAt = Number.NEGATIVE_INFINITY;
  const until = (): number => Math.min(heardAt, beatAt) + leaseMs;
  return {
    heard: () => {
      heardAt = clock.elapsed();
    },
    acknowledged: (sentAt) => {
      beatAt = Math.max(beatAt, sentAt);
    },
    holds: () => clock.elapsed() < until(),
    until,
  };
};
