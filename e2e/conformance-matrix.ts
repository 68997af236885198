/** What holds where: the JSON lines that the conformance suites leave, as a table of suite and backend. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const Line = z.object({
  suite: z.string(),
  backend: z.string(),
  case: z.string(),
  result: z.enum(['passed', 'failed', 'skipped']),
  because: z.string().optional(),
});
type Line = z.infer<typeof Line>;

/** The lines of a file that need not be there. A line that cannot be read is an error: a matrix with holes says nothing. */
export const readMatrix = (file: string): Line[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => Line.parse(JSON.parse(line)))
    : [];

/** One row a suite and backend, its exceptions with their reasons below it; empty text where nothing was run. */
export const matrixText = (lines: readonly Line[]): string => {
  const groups = Map.groupBy(lines, ({ suite, backend }) => JSON.stringify([suite, backend]));
  const rows = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  if (rows.length === 0) return '';
  const count = (group: readonly Line[], result: Line['result']) =>
    String(group.filter((line) => line.result === result).length);
  const cells = (group: readonly Line[]): string[] => [
    group[0]?.suite ?? '',
    group[0]?.backend ?? '',
    count(group, 'passed'),
    count(group, 'failed'),
    count(group, 'skipped'),
  ];
  const head = ['suite', 'backend', 'passed', 'failed', 'excepted'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((group) => (cells(group)[column] ?? '').length)),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    'what holds where',
    line(head),
    ...rows.flatMap((group) => [
      line(cells(group)),
      ...group.filter(({ result }) => result === 'skipped').map((each) => `  not "${each.case}": ${each.because}`),
      ...group.filter(({ result }) => result === 'failed').map((each) => `  FAILED "${each.case}"`),
    ]),
  ].join('\n');
};
