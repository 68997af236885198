/** How long to leave a receiver alone that did not take a notice. */

export type Pace = { readonly firstMs: number; readonly mostMs: number };
/** 1 s, 4 s, 16 s, 1 min, 4 min, 17 min, then every hour. */
export const usualPace: Pace = { firstMs: 1_000, mostMs: 3_600_000 };
/** Whoever asks to be left alone for longer is asked again after a day. */
const askedMostMs = 86_400_000;

/** `failures` so far, from 1; `chance` from 0 to 1: receivers that fell together do not all get up to the same knock. */
export const pauseMs = (
  failures: number,
  retryAfterMs: number | undefined,
  chance: number,
  { firstMs, mostMs }: Pace = usualPace,
): number => {
  const own = Math.min(mostMs, firstMs * 4 ** Math.min(failures - 1, 20)) * (0.75 + chance / 2);
  return Math.round(Math.max(own, Math.min(retryAfterMs ?? 0, askedMostMs)));
};
