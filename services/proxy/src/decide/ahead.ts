/**
 * Holds an answer back that rests on more of the log than this proxy has applied. Let through at once it would join the permissions of
 * a newer model with the routes of an older one: a pair that neither model means.
 */
import type { Sequence } from '@postern/schemas';

export type Ahead = {
  /** Calls `then(true)` once `sequence` has been applied, `then(false)` when that takes longer than the limit. */
  readonly wait: (sequence: Sequence, then: (reached: boolean) => void) => void;
  /** More has been applied. */
  readonly applied: () => void;
};

export const ahead = (sequence: () => Sequence, waitMs: number): Ahead => {
  const waiting = new Set<{ readonly until: Sequence; readonly go: (reached: boolean) => void }>();
  return {
    wait: (until, then) => {
      const waiter = {
        until,
        go: (reached: boolean) => {
          waiting.delete(waiter);
          clearTimeout(timer);
          then(reached);
        },
      };
      const timer = setTimeout(() => waiter.go(false), waitMs).unref();
      waiting.add(waiter);
    },
    applied: () => {
      for (const waiter of [...waiting]) if (waiter.until <= sequence()) waiter.go(true);
    },
  };
};
