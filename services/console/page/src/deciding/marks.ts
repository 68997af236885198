/**
 * What a reviewer has marked and not sent yet: each item at most once, every step can be taken back, in the order that they were made.
 * Pure, so that what the keys do can be told without a browser.
 */
export type Verdict = 'keep' | 'revoke' | 'shorten';
export type Mark = {
  readonly verdict: Verdict;
  readonly reason: string;
  /** RFC 3339; of `shorten` alone. */
  readonly until?: string;
};
export type Marks = {
  readonly marks: Readonly<Record<string, Mark>>;
  /** What each step changed, as it was before. */
  readonly steps: readonly Readonly<Record<string, Mark | null>>[];
};

export const noMarks: Marks = { marks: {}, steps: [] };
/** So many steps can be taken back. */
const stepsMax = 500;

/** One step, however many grants it is about. */
export const marked = ({ marks, steps }: Marks, grants: readonly string[], mark: Mark): Marks => ({
  marks: { ...marks, ...Object.fromEntries(grants.map((grant) => [grant, mark])) },
  steps: [...steps, Object.fromEntries(grants.map((grant) => [grant, marks[grant] ?? null]))].slice(-stepsMax),
});

export const undone = ({ marks, steps }: Marks): Marks => {
  const last = steps.at(-1);
  if (last === undefined) return { marks, steps };
  const before = { ...marks };
  for (const [grant, mark] of Object.entries(last))
    if (mark === null) delete before[grant];
    else before[grant] = mark;
  return { marks: before, steps: steps.slice(0, -1) };
};

/** Without what is no longer open: it was sent, or somebody else has decided. Steps over it are forgotten with it. */
export const onlyOf = ({ marks, steps }: Marks, open: ReadonlySet<string>): Marks => {
  const only = <Held>(from: Readonly<Record<string, Held>>) =>
    Object.fromEntries(Object.entries(from).filter(([grant]) => open.has(grant)));
  return { marks: only(marks), steps: steps.map(only).filter((step) => Object.keys(step).length > 0) };
};

export type Decision = { readonly grant: string; readonly decision: Verdict; readonly until?: string };
export type Sending = { readonly reason: string; readonly decisions: readonly Decision[] };

/** One call takes one reason and so many decisions. */
export const decisionsMax = 400;

export const sendings = ({ marks }: Marks): readonly Sending[] => {
  const byReason = new Map<string, Decision[]>();
  for (const [grant, { verdict, reason, until }] of Object.entries(marks)) {
    const all = byReason.get(reason) ?? [];
    byReason.set(reason, [...all, { grant, decision: verdict, ...(until !== undefined && { until }) }]);
  }
  return [...byReason].flatMap(([reason, all]) =>
    Array.from({ length: Math.ceil(all.length / decisionsMax) }, (_, part) => ({
      reason,
      decisions: all.slice(part * decisionsMax, (part + 1) * decisionsMax),
    })),
  );
};

export const countsOf = ({ marks }: Marks): Readonly<Record<Verdict, number>> => {
  const counts = { keep: 0, revoke: 0, shorten: 0 };
  for (const { verdict } of Object.values(marks)) counts[verdict]++;
  return counts;
};
