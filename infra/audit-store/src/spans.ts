/**
 * Where in a log a time or a sequence can be: of each group of entries, the earliest and the latest that its rows say. Time grows with
 * the place in the log, but only nearly: a proxy's journal may bring decisions of yesterday. A search by time reads the groups that can
 * hold what it asks for, and no others.
 */
import type { AuditQuery } from './port.ts';

/** Entries in one group, as a power of two: as many as one tile of the log's tree. */
export const groupBits = 8;
export const groupOf = (index: number): number => Math.floor(index / 2 ** groupBits);

export type Span = {
  readonly grp: number;
  readonly low_ms: number;
  readonly high_ms: number;
  readonly low_sequence: number | null;
  readonly high_sequence: number | null;
};
export const spanColumns = ['grp', 'low_ms', 'high_ms', 'low_sequence', 'high_sequence'] as const;

/** What the rows of one append say of their groups. */
export const spansOf = (
  rows: readonly { readonly idx: number; readonly at_ms: number; readonly sequence: number | null }[],
): Span[] => {
  const spans = new Map<number, { -readonly [Member in keyof Span]: Span[Member] }>();
  for (const { idx, at_ms, sequence } of rows) {
    const grp = groupOf(idx);
    const span = spans.get(grp);
    if (span === undefined) {
      spans.set(grp, { grp, low_ms: at_ms, high_ms: at_ms, low_sequence: sequence, high_sequence: sequence });
      continue;
    }
    if (at_ms < span.low_ms) span.low_ms = at_ms;
    if (at_ms > span.high_ms) span.high_ms = at_ms;
    if (sequence === null) continue;
    if (span.low_sequence === null || sequence < span.low_sequence) span.low_sequence = sequence;
    if (span.high_sequence === null || sequence > span.high_sequence) span.high_sequence = sequence;
  }
  return [...spans.values()];
};

/** Is a row of this time and sequence found by them? */
export const isWithin = (span: Span | undefined, atMs: number, sequence: number | undefined): boolean =>
  span !== undefined &&
  span.low_ms <= atMs &&
  atMs <= span.high_ms &&
  (sequence === undefined ||
    (span.low_sequence !== null &&
      span.high_sequence !== null &&
      span.low_sequence <= sequence &&
      sequence <= span.high_sequence));

export const asksForSpan = ({ since, until, fromSequence, toSequence }: AuditQuery): boolean =>
  [since, until, fromSequence, toSequence].some((bound) => bound !== undefined);

export type GroupRange = { readonly first: number; readonly last: number };

/** Groups in ascending order, as the ranges without a gap that they make up. */
export const rangesOf = (groups: readonly number[]): GroupRange[] => {
  const ranges: { first: number; last: number }[] = [];
  for (const group of groups) {
    const range = ranges.at(-1);
    if (range?.last === group - 1) range.last = group;
    else ranges.push({ first: group, last: group });
  }
  return ranges;
};
