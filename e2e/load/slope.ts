/** Does a series of samples grow? Judged by the median of all pairs' slopes (Theil and Sen), which a few odd samples cannot move. */
export type Sample = { readonly seconds: number; readonly value: number };

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/** Units a second; 0 where there are fewer than two samples. */
export const slopeOf = (samples: readonly Sample[]): number => {
  const slopes: number[] = [];
  for (const [index, one] of samples.entries())
    for (const other of samples.slice(index + 1))
      if (other.seconds !== one.seconds) slopes.push((other.value - one.value) / (other.seconds - one.seconds));
  return slopes.length === 0 ? 0 : median(slopes);
};

/** What the slope would add to the median within `overSeconds`, as a share of the median. */
export const growthOf = (samples: readonly Sample[], overSeconds: number): number =>
  (slopeOf(samples) * overSeconds) / Math.max(median(samples.map(({ value }) => value)), 1);
