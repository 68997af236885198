/** How long each step took, for whoever asks: `Server-Timing` (W3C). */

/** Monotonic ms. */
export type StepTimes = {
  readonly enteredAt: number;
  /** Its endpoint was found. */
  matchedAt: number;
  decidedAt: number;
  cached: boolean | undefined;
};

export const stepTimes = (enteredAt: number): StepTimes => ({
  enteredAt,
  matchedAt: enteredAt,
  decidedAt: enteredAt,
  cached: undefined,
});

export const serverTimingText = (times: StepTimes, sentAt: number, answeredAt: number): string => {
  const { enteredAt, matchedAt, decidedAt, cached } = times;
  const steps = [
    `route;dur=${ms(matchedAt - enteredAt)}`,
    `decide;dur=${ms(decidedAt - matchedAt)}${cached ? ';desc="cached"' : ''}`,
    `upstream;dur=${ms(answeredAt - sentAt)}`,
  ];
  return steps.join(', ');
};

const ms = (duration: number): string => Math.max(0, duration).toFixed(2);
