/** RFC 4180 lines of found rows. */
import type { FoundRow } from '@postern/audit-store';

const members = [
  'index',
  'at',
  'type',
  'id',
  'outcome',
  'reason',
  'subject',
  'actor',
  'role',
  'service',
  'endpoint',
  'sequence',
  'trace',
  'body',
] as const satisfies readonly (keyof FoundRow)[];

export const csvHeader = members.join(',');
export const csvLine = (row: FoundRow): string => members.map((name) => cell(row[name])).join(',');

/** Text that a spreadsheet would run as a formula gets an apostrophe: paths and names come from outside. */
const cell = (value: string | number | undefined): string => {
  if (value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
