/**
 * How often each key has come within a window that slides: the count of this window and, for its part that still lies within, that
 * of the one before. Two numbers a key, no timers, and the answer is there at once.
 */
export type Room = {
  /** How many more there may be once one more has come; negative where none may. */
  readonly left: number;
  /** Until there is more room, in ms. */
  readonly resetMs: number;
};

export type SlidingWindow = {
  /** May there be one more, under `quota`? Counts nothing. `now`: monotonic ms. */
  readonly room: (key: string, quota: number, now: number) => Room;
  readonly count: (key: string, now: number) => void;
  readonly size: () => number;
};

type Count = { window: number; now: number; before: number };

/** Keys in memory, about 150 bytes each; beyond it the oldest are forgotten. */
const keysMax = 100_000;

export const slidingWindow = (windowMs: number, max = keysMax): SlidingWindow => {
  const counts = new Map<string, Count>();
  const countOf = (key: string, window: number): Count => {
    const count = counts.get(key);
    if (count === undefined) {
      const [oldest] = counts.keys();
      if (counts.size >= max && oldest !== undefined) counts.delete(oldest);
      const fresh = { window, now: 0, before: 0 };
      counts.set(key, fresh);
      return fresh;
    }
    if (count.window !== window) {
      count.before = count.window === window - 1 ? count.now : 0;
      count.now = 0;
      count.window = window;
      // Behind all others: what is forgotten first has not been asked for longest.
      counts.delete(key);
      counts.set(key, count);
    }
    return count;
  };
  return {
    room: (key, quota, now) => {
      const window = Math.floor(now / windowMs);
      const within = now - window * windowMs;
      const count = countOf(key, window);
      const used = count.now + count.before * (1 - within / windowMs);
      return used + 1 > quota
        ? { left: -1, resetMs: untilFree(count, quota, within, windowMs) }
        : { left: Math.floor(quota - used - 1), resetMs: windowMs - within };
    },
    count: (key, now) => {
      countOf(key, Math.floor(now / windowMs)).now++;
    },
    size: () => counts.size,
  };
};

/** As the window slides, what was counted in the one before weighs less and less. */
const untilFree = ({ now, before }: Count, quota: number, within: number, windowMs: number): number => {
  const free = quota - 1;
  // In this window, if what was counted in it leaves room at all; otherwise in the next, where it is the one before.
  if (now <= free && before > 0) return Math.max(1, windowMs * (1 - (free - now) / before) - within);
  return Math.max(1, windowMs - within + windowMs * (1 - free / now));
};
