/**
 * Decisions that need not be asked for again. One rule covers both what is kept and what is still on its way:
 *
 *   an answer counts only if its sequence is at or behind no invalidation that touches it.
 *
 * So an invalidation is one number written down, whatever it touches, and an answer that was overtaken by a fact while in flight
 * fails the same comparison as an old entry does. Entries that no longer count are overwritten by the next answer.
 *
 * An entry took 260 to 280 bytes with its key (200,000 of them, a key and its owner each, heap before and after).
 */
import { type Answer, beginning, type Context, type ContextField, type Sequence } from '@postern/schemas';
import type { Invalidation } from './invalidation.ts';

/** `unavailable` is never kept. */
export type Decided = Extract<Answer, { readonly outcome: 'allow' | 'deny' }>;

export type Asked = {
  readonly subjects: readonly string[];
  /** The subjects in one text: made once per caller, not per request. */
  readonly caller: string;
  readonly endpoint: string;
  /** The objects that are asked for too, in one text; absent where there are none. */
  readonly objects?: string;
};

export type DecisionCache = {
  readonly find: (asked: Asked, context: Context) => Decided | undefined;
  /** Keeps the answer if it counts; says whether it does. One that does not has to be asked again. */
  readonly keep: (asked: Asked, context: Context, answer: Decided) => boolean;
  readonly counts: (asked: Asked, sequence: Sequence) => boolean;
  readonly invalidate: (invalidations: readonly Invalidation[], sequence: Sequence) => void;
  readonly size: () => number;
};

/** More marks than this become an epoch: a reorganisation that touches everybody is cheaper to forget than to remember. */
const marksMax = 50_000;

/** What the answers for this caller and endpoint depend on; their values are part of a second key. */
type Dependent = { readonly fields: readonly ContextField[]; readonly sequence: Sequence };
type Entry = Decided | Dependent;

export const decisionCache = (entriesMax: number): DecisionCache => {
  /**
   * Two generations instead of an order of use: what is used moves to the young one, and when that is half of all, the old one
   * goes. A hit is one look-up. (A Map kept in order of use by delete and set piles up holes under a key that is hit often: with
   * 200,000 entries a hit then took 0.5 ms.)
   */
  let young = new Map<string, Entry>();
  let old = new Map<string, Entry>();
  const subjectMarks = new Map<string, Sequence>();
  const endpointMarks = new Map<string, Sequence>();
  let epoch: Sequence = beginning;

  const counts = ({ subjects, endpoint }: Asked, sequence: Sequence): boolean => {
    if (sequence < epoch || sequence < (endpointMarks.get(endpoint) ?? 0)) return false;
    for (const subject of subjects) if (sequence < (subjectMarks.get(subject) ?? 0)) return false;
    return true;
  };
  const look = (key: string, asked: Asked): Entry | undefined => {
    let entry = young.get(key);
    if (entry === undefined) {
      entry = old.get(key);
      if (entry === undefined) return undefined;
      if (counts(asked, entry.sequence)) store(key, entry);
    }
    return counts(asked, entry.sequence) ? entry : undefined;
  };
  const store = (key: string, entry: Entry): void => {
    if (entriesMax === 0) return;
    young.set(key, entry);
    if (young.size < entriesMax / 2) return;
    old = young;
    young = new Map();
  };
  const mark = (marks: Map<string, Sequence>, name: string, sequence: Sequence): void => {
    marks.set(name, sequence);
    if (marks.size > marksMax) beginEpoch(sequence);
  };
  const beginEpoch = (sequence: Sequence): void => {
    epoch = sequence;
    young.clear();
    old.clear();
    subjectMarks.clear();
    endpointMarks.clear();
  };

  return {
    find: (asked, context) => {
      const key = keyOf(asked);
      const entry = look(key, asked);
      if (entry === undefined || 'outcome' in entry) return entry;
      const decided = look(valuesKey(key, entry.fields, context), asked);
      return decided !== undefined && 'outcome' in decided ? decided : undefined;
    },
    keep: (asked, context, answer) => {
      if (!counts(asked, answer.sequence)) return false;
      const key = keyOf(asked);
      const before = look(key, asked);
      // Alternatives that were not looked at this time may be looked at next time: the fields add up.
      const known = before !== undefined && 'fields' in before ? before.fields : [];
      const fields = [...new Set([...known, ...answer.dependsOn])].sort();
      if (fields.length === 0) store(key, answer);
      else {
        store(key, { fields, sequence: answer.sequence });
        store(valuesKey(key, fields, context), answer);
      }
      return true;
    },
    counts,
    invalidate: (invalidations, sequence) => {
      for (const invalidation of invalidations)
        if (invalidation.kind === 'epoch') beginEpoch(sequence);
        else if (invalidation.kind === 'subject') mark(subjectMarks, invalidation.subject, sequence);
        else mark(endpointMarks, invalidation.endpoint, sequence);
    },
    size: () => young.size + old.size,
  };
};

/** No id holds a space. */
export const keyOf = ({ caller, endpoint, objects }: Asked): string =>
  objects === undefined ? `${endpoint} ${caller}` : `${endpoint} ${objects} ${caller}`;

const valuesKey = (key: string, fields: readonly ContextField[], context: Context): string => {
  let text = key;
  for (const field of fields) text += `\n${field} ${valueText(context[field])}`;
  return text;
};

/** Claims are an issuer's texts: quoted, so that none of them reads as another, nor as an absent one. */
export const valueText = (value: string | readonly string[] | undefined): string =>
  value === undefined ? '' : JSON.stringify(value);
