/**
 * How long the gate may trust what it knows. Both have to have happened within the lease: the log said that there is nothing newer,
 * and it acknowledged a heartbeat. The second is what others count on: whoever waits for an enforcement stops waiting for a proxy
 * that has been silent for its lease, and that proxy must have stopped allowing by then. So it counts from when the beat was sent.
 *
 * And whoever was silent for that long comes back as it came at first: others know of it before it looks at the log. What the log
 * had said earlier may be younger than the lease and still lack what was answered as enforced meanwhile.
 */
import type { Clock } from '@postern/runtime';

export type Lease = {
  /** The log, asked at `askedAt` (monotonic ms) or later, has confirmed that everything in it had been read. */
  readonly heard: (askedAt: number) => void;
  /** A heartbeat sent at `sentAt` (monotonic ms) was acknowledged. */
  readonly acknowledged: (sentAt: number) => void;
  readonly holds: () => boolean;
  /** Monotonic ms at which it ran out or will. */
  readonly until: () => number;
};

export const openLease = (clock: Pick<Clock, 'elapsed'>, leaseMs: number): Lease => {
  let heardAt = Number.NEGATIVE_INFINITY;
  let beatAt = Number.NEGATIVE_INFINITY;
  /** Others have known of this proxy without a break since then. */
  let knownSince = Number.POSITIVE_INFINITY;
  const until = (): number => (heardAt < knownSince ? Number.NEGATIVE_INFINITY : Math.min(heardAt, beatAt) + leaseMs);
  return {
    heard: (askedAt) => {
      heardAt = Math.max(heardAt, askedAt);
    },
    acknowledged: (sentAt) => {
      if (clock.elapsed() >= beatAt + leaseMs) knownSince = clock.elapsed();
      beatAt = Math.max(beatAt, sentAt);
    },
    holds: () => clock.elapsed() < until(),
    until,
  };
};
