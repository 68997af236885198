/** A clock that is turned by hand. */
import type { Clock } from '@postern/runtime';

export type HandClock = Clock & { readonly advance: (ms: number) => void };

export const handClock = (startMs = Date.UTC(2026, 10, 24, 9, 0, 0)): HandClock => {
  let now = startMs;
  let elapsed = 0;
  return {
    now: () => now,
    elapsed: () => elapsed,
    advance: (ms) => {
      now += ms;
      elapsed += ms;
    },
  };
};
