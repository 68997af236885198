/** What may happen in a schedule, and how often: a step is one number, so that a failing schedule is a short list of numbers. */
const weights = {
  fact: 7,
  call: 14,
  'everyone-calls': 5,
  follow: 8,
  'facts-answer': 4,
  'facts-arrive': 4,
  beat: 3,
  'beat-store': 4,
  'beat-acknowledge': 4,
  'beat-fail': 1,
  project: 3,
  compute: 8,
  deliver: 8,
  answer: 14,
  lose: 1,
  'authorizer-restart': 1,
  'authorizer-away': 1,
  crash: 1,
  'cut-off': 3,
  reconnect: 2,
  calm: 5,
  barrier: 5,
  'barrier-answer': 4,
  'barrier-arrive': 5,
  'barrier-restart': 1,
  live: 3,
  lapse: 1,
  time: 4,
} as const;
export type StepKind = keyof typeof weights;

const wheel: readonly StepKind[] = (Object.keys(weights) as StepKind[]).flatMap((kind) =>
  Array.from({ length: weights[kind] }, () => kind),
);

/** Any number from here down to 0 is a step. */
export const stepMax = 0x3fff_ffff;

export const toStep = (number: number): { readonly kind: StepKind; readonly rest: number } => ({
  kind: wheel[number % wheel.length] ?? 'call',
  rest: Math.floor(number / wheel.length),
});
