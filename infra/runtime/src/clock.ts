/** Time is a dependency: rules take it as data, and tests turn it by hand. */
export type Clock = {
  /** Wall time, ms since the epoch: what is written down. */
  readonly now: () => number;
  /** Monotonic ms: what durations and leases are measured by; it never jumps. */
  readonly elapsed: () => number;
};

export const systemClock: Clock = { now: () => Date.now(), elapsed: () => performance.now() };

/** RFC 3339 in UTC, with milliseconds. */
export const instant = (clock: Clock): string => new Date(clock.now()).toISOString();
