/** What the projection has reached, as seen by those who decide on it: the place, its trouble, and waiting for a later place. */
import type { Reached } from '@postern/relationships';
import type { Sequence } from '@postern/schemas';

export type Standing = {
  /** Undefined until the engine is known to hold what the log says. */
  readonly reached: () => Reached | undefined;
  /** Resolves with a place at or behind `sequence`, or with undefined after `timeoutMs`. */
  readonly until: (sequence: Sequence, timeoutMs: number) => Promise<Reached | undefined>;
  /** Resolves with what was reached when that is another place than `reached`, or with undefined after `timeoutMs`. */
  readonly beyond: (reached: Reached | undefined, timeoutMs: number) => Promise<Reached | undefined>;
  readonly move: (reached: Reached | undefined) => void;
};

type Waiter = { readonly wants: (reached: Reached) => boolean; readonly go: (reached: Reached | undefined) => void };

export const standing = (): Standing => {
  let reached: Reached | undefined;
  const waiting = new Set<Waiter>();
  const when = (wants: Waiter['wants'], timeoutMs: number): Promise<Reached | undefined> =>
    new Promise((resolve) => {
      if (reached !== undefined && wants(reached)) return resolve(reached);
      const waiter: Waiter = {
        wants,
        go: (arrived) => {
          waiting.delete(waiter);
          clearTimeout(timer);
          resolve(arrived);
        },
      };
      const timer = setTimeout(() => waiter.go(undefined), timeoutMs);
      waiting.add(waiter);
    });
  return {
    reached: () => reached,
    until: (sequence, timeoutMs) => when((each) => each.sequence >= sequence, timeoutMs),
    beyond: (from, timeoutMs) => when((each) => each.place !== undefined && each.place !== from?.place, timeoutMs),
    move: (arrived) => {
      reached = arrived;
      if (arrived === undefined) return;
      for (const waiter of waiting) if (waiter.wants(arrived)) waiter.go(arrived);
    },
  };
};
