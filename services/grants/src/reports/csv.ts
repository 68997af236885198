/** RFC 4180 text of a report. */
import type { Cell, Report } from './rows.ts';

export const csvText = ({ columns, rows }: Report): string =>
  [columns.join(','), ...rows.map((row) => columns.map((name) => cell(row[name])).join(','))]
    .map((line) => `${line}\r\n`)
    .join('');

/** Text that a spreadsheet would run as a formula gets an apostrophe: reasons are written by whoever asks. */
const cell = (value: Cell): string => {
  if (value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
