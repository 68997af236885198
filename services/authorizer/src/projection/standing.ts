/** What the projection has reached, as seen by those who decide on it: the place, its trouble, and waiting for a later place. */
import type { Reached } from '@postern/relationships';
import type { Sequence } from '@postern/schemas';

export type Standing = {
  /** Undefined until the engine is known to hold what the log says. */
  readonly reached: () => Reached | undefined;
  /** Resolves with a place at or behind `sequence`, or with undefined after `timeoutMs`. */
  readonly until: (sequence: Sequence, timeoutMs: number) => Promise<Reached | undefined>;
  readonly move: (reached: Reached | undefined) => void;
};

export const standing = (): Standing => {
  let reached: Reached | undefined;
  const waiting = new Set<{ readonly sequence: Sequence; readonly go: (reached: Reached) => void }>();
  return {
    reached: () => reached,
    until: (sequence, timeoutMs) =>
      new Promise((resolve) => {
        if (reached !== undefined && reached.sequence >= sequence) return resolve(reached);
        const waiter = {
          sequence,
          go: (arrived: Reached | undefined) => {
            waiting.delete(waiter);
            clearTimeout(timer);
            resolve(arrived);
          },
        };
        const timer = setTimeout(() => waiter.go(undefined), timeoutMs);
        waiting.add(waiter);
      }),
    move: (arrived) => {
      reached = arrived;
      if (arrived === undefined) return;
      for (const waiter of waiting) if (arrived.sequence >= waiter.sequence) waiter.go(arrived);
    },
  };
};
