/**
 * Proofs that were seen, for as long as each could be used again. Full means full: forgetting one early would let it be used twice.
 * No key may take more than its share, so that one client cannot fill it for all.
 */
import type { Clock } from '@postern/runtime';

export type Replays = {
  /** `full` where it cannot be remembered: then it must not count. Never rejects. */
  readonly note: (key: string, proof: string, forMs: number) => Noted | Promise<Noted>;
};
export type Noted = 'new' | 'seen' | 'full';

/** About 200 bytes each. */
const proofsMax = 200_000;
const proofsPerKeyMax = 20_000;

export const replays = (clock: Clock, max = proofsMax, perKeyMax = proofsPerKeyMax) => {
  const seen = new Map<string, { readonly key: string; readonly untilMs: number }>();
  const perKey = new Map<string, number>();
  const forget = (proof: string, key: string): void => {
    seen.delete(proof);
    const left = (perKey.get(key) ?? 1) - 1;
    if (left === 0) perKey.delete(key);
    else perKey.set(key, left);
  };
  /** The oldest come first. One that lasts longer holds up the ones behind it, never for more than the longest window. */
  const sweep = (now: number): void => {
    for (const [proof, { key, untilMs }] of seen) {
      if (now < untilMs) return;
      forget(proof, key);
    }
  };
  return {
    note: (key: string, proof: string, forMs: number): Noted => {
      const now = clock.elapsed();
      sweep(now);
      const name = `${key} ${proof}`;
      if (seen.has(name)) return 'seen';
      const held = perKey.get(key) ?? 0;
      if (seen.size >= max || held >= perKeyMax) return 'full';
      seen.set(name, { key, untilMs: now + forMs });
      perKey.set(key, held + 1);
      return 'new';
    },
    size: (): number => seen.size,
  } satisfies Replays & { size: () => number };
};
