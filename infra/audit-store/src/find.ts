/** One page of what a query finds, through whatever runs statements: the rows, their bodies out of the entries, and their spans. */
import type { AuditQuery, FoundRow, LogName } from './port.ts';
import {
  bindings,
  checkQuery,
  groupsStatement,
  namesMember,
  rowsStatement,
  type SearchDialect,
  type Statement,
  toPage,
} from './query.ts';
import { fromColumns } from './rows.ts';
import { asksForSpan, type GroupRange, groupOf, rangesOf, type Span } from './spans.ts';

export type Found = Readonly<Record<string, unknown>>;
export type RunStatement = (statement: Statement) => readonly Found[] | Promise<readonly Found[]>;
export type Page = { readonly rows: readonly FoundRow[]; readonly next?: string; readonly size: number };

/** Rejects with `audit/bad-query`, and with `audit/record-altered` where a row's entry is not there. */
export const findPage = async (
  dialect: SearchDialect,
  log: LogName,
  query: AuditQuery,
  size: number,
  run: RunStatement,
): Promise<Page> => {
  checkQuery(query);
  const found: Found[] = [];
  for (const range of await rangesFor(dialect, log, query, run)) {
    const wanted = query.limit + 1 - found.length;
    if (wanted <= 0) break;
    found.push(...(await run(rowsStatement(dialect, log, query, size, wanted, range))));
  }
  const { page, ...rest } = toPage(found, query.limit);
  const [bodies, spans] = [await bodiesOf(dialect, log, query, page, run), await spansFor(dialect, log, page, run)];
  const rows = page.map((row, at) =>
    fromColumns({ ...row, body: row['body'] ?? bodies[at] }, log, spans.get(groupOf(Number(row['idx'])))),
  );
  return { rows, size, ...rest };
};

/** In the order in which the query wants its rows. */
const rangesFor = async (
  dialect: SearchDialect,
  log: LogName,
  query: AuditQuery,
  run: RunStatement,
): Promise<readonly (GroupRange | undefined)[]> => {
  if (!asksForSpan(query)) return [undefined];
  const ranges = rangesOf((await run(groupsStatement(dialect, log, query))).map(({ grp }) => Number(grp)));
  return query.order === 'oldest' ? ranges : ranges.toReversed();
};

const spansFor = async (
  { prefix, placeholder }: SearchDialect,
  log: LogName,
  page: readonly Found[],
  run: RunStatement,
): Promise<ReadonlyMap<number, Span>> => {
  const groups = [...new Set(page.map(({ idx }) => groupOf(Number(idx))))];
  if (groups.length === 0) return new Map();
  const { values, bind } = bindings(placeholder);
  const text = `SELECT * FROM ${prefix}${log}_spans WHERE grp IN (${groups.map(bind).join(', ')})`;
  const number = (value: unknown): number | null => (value === null ? null : Number(value));
  return new Map(
    (await run({ text, values })).map(({ grp, low_ms, high_ms, low_sequence, high_sequence }) => [
      Number(grp),
      {
        grp: Number(grp),
        low_ms: Number(low_ms),
        high_ms: Number(high_ms),
        low_sequence: number(low_sequence),
        high_sequence: number(high_sequence),
      },
    ]),
  );
};

/** The bodies that lie in the entries, each at the place of its row in the page. */
const bodiesOf = async (
  { prefix }: SearchDialect,
  log: LogName,
  query: AuditQuery,
  page: readonly Found[],
  run: RunStatement,
): Promise<readonly (string | undefined)[]> => {
  const wanted = page.flatMap(({ idx, body, body_at, body_bytes }, at) =>
    body === null && body_at !== null
      ? [{ at, index: Number(idx), from: Number(body_at), bytes: Number(body_bytes) }]
      : [],
  );
  if (wanted.length === 0) return [];
  const bodies: string[] = [];
  if (namesMember(query)) {
    // Rows far apart: nothing but their bodies leaves the database.
    const places = wanted.map(({ at, index, from, bytes }) => `(${at}, ${index}, ${from + 1}, ${bytes})`).join(', ');
    const text = `SELECT column1 AS at, substr(bytes, column3, column4) AS value FROM (VALUES ${places}) AS wanted JOIN ${prefix}${log}_entries ON idx = column2`;
    for (const { at, value } of await run({ text, values: [] })) bodies[Number(at)] = textOf(value);
    return bodies;
  }
  // Rows next to each other: each entry is unpacked once.
  const indexes = [...new Set(wanted.map(({ index }) => index))];
  const text = `SELECT idx, bytes FROM ${prefix}${log}_entries WHERE idx IN (${indexes.join(', ')})`;
  const entries = new Map(
    (await run({ text, values: [] })).map(({ idx, bytes }) => [Number(idx), bytes as Uint8Array]),
  );
  for (const { at, index, from, bytes } of wanted) {
    const entry = entries.get(index);
    if (entry !== undefined) bodies[at] = textOf(entry.subarray(from, from + bytes));
  }
  return bodies;
};

/** Bytes that were altered may be no text any more: whoever compares them with their entry's leaf sees. */
const textOf = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString();
