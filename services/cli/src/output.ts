/** What a command prints: aligned tables for people, JSON for programs; stdout for what was asked, stderr for everything else. */
import Table from 'cli-table3';

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const tell = (text: string): void => void process.stderr.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));

/** Rows under headings, without lines around them: ids can be copied and columns cut. */
export const printTable = (
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): void => {
  if (rows.length === 0) {
    tell('nothing found');
    return;
  }
  const table = new Table({
    head: [...headings],
    style: {
      head: process.stdout.isTTY ? ['bold'] : [],
      border: [],
      compact: true,
      'padding-left': 0,
      'padding-right': 2,
    },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  for (const row of rows) table.push(row.map((cell) => String(cell ?? '')));
  print(
    table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  );
};

/** "2026-11-24 08:00:00Z": readable, sortable, unambiguous. */
export const readableTime = (instant: string | undefined): string =>
  instant === undefined ? '' : instant.replace('T', ' ').replace(/\.\d+/, '');

/** A line that is overwritten while work goes on; silent where stderr is no terminal. */
export const progress = (
  what: string,
): { readonly at: (done: number, total: number) => void; readonly done: () => void } => {
  if (!process.stderr.isTTY) return { at: () => {}, done: () => {} };
  return {
    at: (done, total) => {
      const share = total === 0 ? 1 : done / total;
      const bar = '█'.repeat(Math.round(share * 30)).padEnd(30, '░');
      process.stderr.write(`\r${what} ${bar} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`);
    },
    done: () => void process.stderr.write('\r\x1b[K'),
  };
};
