/** A moment of the log: which facts count at it, and what time it was. */
import { Problem } from '@postern/schemas';
import type { History } from './history.ts';

/**
 * `then`: what had been recorded by that time. `now`: what we know today to have been true at that time, whenever it was recorded: a
 * leaver whom HR told us of a day late had left.
 */
export const knowledges = ['then', 'now'] as const;
export type Known = (typeof knowledges)[number];

export type Moment = {
  /** The last fact that may count. */
  readonly sequence: number;
  /** RFC 3339: the time of day that conditions are judged at. */
  readonly at: string;
  readonly known: Known;
  /** How many facts of the log were known: the size of its tree. */
  readonly size: number;
};

export const counts = (history: History, { sequence, at, known }: Moment): ((each: number) => boolean) => {
  if (known === 'then') return (each) => each <= sequence;
  const atMs = Date.parse(at);
  return (each) => each <= sequence && history.effectiveMs(each) <= atMs;
};

/**
 * `text` is a sequence or an RFC 3339 instant; without it, the end of the log at `nowMs`. Throws `audit/bad-query`, and
 * `audit/fact-unreadable` where the moment lies behind a fact that this version cannot read.
 */
export const momentOf = (
  history: History,
  size: number,
  { text, known, nowMs }: { readonly text: string | undefined; readonly known: Known; readonly nowMs: number },
): Moment => {
  const moment = readMoment(history, size, text, known, nowMs);
  const unreadable = history.unreadable();
  if (unreadable !== undefined && unreadable <= moment.sequence)
    throw new Problem('audit/fact-unreadable', {
      detail: `fact ${unreadable} is of a type that this version does not know, so what holds from it on is not known either`,
    });
  return moment;
};

const readMoment = (history: History, size: number, text: string | undefined, known: Known, nowMs: number): Moment => {
  if (text === undefined) return { sequence: size, at: new Date(nowMs).toISOString(), known, size };
  if (/^\d{1,15}$/.test(text)) {
    const sequence = Number(text);
    if (known === 'now')
      throw new Problem('audit/bad-query', { detail: 'what is known now is asked for an instant, not for a sequence' });
    if (sequence > size)
      throw new Problem('audit/bad-query', { detail: `the log is sealed up to ${size}; ${sequence} lies behind` });
    const at = sequence === 0 ? 0 : history.recordedMs(sequence);
    return { sequence, at: new Date(at).toISOString(), known, size };
  }
  const atMs = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(atMs))
    throw new Problem('audit/bad-query', {
      detail: `"${text.slice(0, 60)}" is neither a sequence nor an RFC 3339 instant`,
    });
  const at = new Date(atMs).toISOString();
  if (known === 'now') return { sequence: size, at, known, size };
  let sequence = size;
  while (sequence > 0 && history.recordedMs(sequence) > atMs) sequence--;
  return { sequence, at, known, size };
};
