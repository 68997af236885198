/** One fact as one line: aligned where a terminal scrolls, since nothing is known of the lines that follow. */
import type { LoggedFact } from '@postern/schemas';
import { readableTime } from '../output.ts';

const widths = [8, 20, 24, 34, 22] as const;
const row = (cells: readonly string[]): string =>
  cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join('  ')
    .trimEnd();

export const factHeading = row(['SEQ', 'WHEN', 'WHAT', 'WHOM', 'ROLE OR GROUP', 'BY, WHY']);

export const factLine = ({ sequence, envelope }: LoggedFact): string => {
  const data = (typeof envelope.data === 'object' && envelope.data !== null ? envelope.data : {}) as Readonly<
    Record<string, unknown>
  >;
  const text = (...names: readonly string[]): string =>
    names.map((name) => data[name]).find((value) => typeof value === 'string') as string;
  return row([
    String(sequence),
    readableTime(envelope.recordedtime),
    envelope.type.replace(/^postern\.|\.v\d+$/g, ''),
    text('subject', 'principal', 'credential', 'object', 'service') ?? members(data) ?? envelope.subject ?? '',
    text('role', 'group', 'relation', 'endpoint', 'title') ?? '',
    [envelope.authid, text('reason')].filter(Boolean).join(': '),
  ]);
};

const members = ({ add, remove, reached }: Readonly<Record<string, unknown>>): string | undefined => {
  if (typeof reached === 'number') return `up to ${reached}`;
  if (!Array.isArray(add) || !Array.isArray(remove)) return undefined;
  return [...add.map((each) => `+${each}`), ...remove.map((each) => `-${each}`)].join(' ');
};
