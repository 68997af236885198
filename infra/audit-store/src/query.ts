/** An {@link AuditQuery} as SQL statements, the same for every SQL backend but for what {@link SearchDialect} says. */
import { Problem } from '@postern/schemas';
import type { AuditQuery } from './port.ts';
import { type GroupRange, groupBits } from './spans.ts';

export const pageRowsMax = 1_000;

export type Statement = { readonly text: string; readonly values: readonly (string | number)[] };
/** The placeholder of the n-th value, counted from 1. */
export type Placeholder = (position: number) => string;

export type SearchDialect = {
  /** What stands before a table's name. */
  readonly prefix: string;
  readonly placeholder: Placeholder;
  /** The backend's indexes of members keep their rows in the order of groups, not of places. */
  readonly indexedByGroup: boolean;
};

const equalities = ['id', 'type', 'outcome', 'subject', 'role', 'service', 'endpoint', 'trace'] as const;

/** Does the query name a member? Then its rows lie far apart, each in another entry. */
export const namesMember = (query: AuditQuery): boolean => equalities.some((name) => query[name] !== undefined);

/** Throws `audit/bad-query`. */
export const checkQuery = ({ limit }: AuditQuery): void => {
  if (!Number.isInteger(limit) || limit < 1 || limit > pageRowsMax)
    throw badQuery(`limit is a whole number from 1 to ${pageRowsMax}`);
};

/** Values, and the text that stands for each in a statement. */
export const bindings = (
  placeholder: Placeholder,
): { readonly values: (string | number)[]; readonly bind: (value: string | number) => string } => {
  const values: (string | number)[] = [];
  return { values, bind: (value) => placeholder(values.push(value)) };
};

/** The groups of entries that can hold what the query asks of time and sequence, in ascending order. Throws `audit/bad-query`. */
export const groupsStatement = ({ prefix, placeholder }: SearchDialect, log: string, query: AuditQuery): Statement => {
  const { values, bind } = bindings(placeholder);
  const where: string[] = [];
  if (query.since !== undefined) where.push(`high_ms >= ${bind(instantMs('since', query.since))}`);
  if (query.until !== undefined) where.push(`low_ms < ${bind(instantMs('until', query.until))}`);
  if (query.fromSequence !== undefined) where.push(`high_sequence >= ${bind(query.fromSequence)}`);
  if (query.toSequence !== undefined) where.push(`low_sequence <= ${bind(query.toSequence)}`);
  return { text: `SELECT grp FROM ${prefix}${log}_spans WHERE ${where.join(' AND ')} ORDER BY grp`, values };
};

/**
 * Finds `limit` rows, in order, among the entries before `size`, and in `range`: what was appended behind does not move pages.
 * Throws `audit/bad-query`.
 */
export const rowsStatement = (
  { prefix, placeholder, indexedByGroup }: SearchDialect,
  log: string,
  query: AuditQuery,
  size: number,
  limit: number,
  range: GroupRange | undefined,
): Statement => {
  const { values, bind } = bindings(placeholder);
  const newest = query.order !== 'oldest';
  const sparse = namesMember(query);
  const byGroup = sparse && indexedByGroup;
  let [low, past] = [0, size];
  if (range !== undefined) {
    low = range.first * 2 ** groupBits;
    past = Math.min(size, (range.last + 1) * 2 ** groupBits);
  }
  const where: string[] = [];
  for (const column of equalities) {
    const value = query[column];
    if (value !== undefined) where.push(`${column} = ${bind(value)}`);
  }
  if (query.since !== undefined) where.push(`at_ms >= ${bind(instantMs('since', query.since))}`);
  if (query.until !== undefined) where.push(`at_ms < ${bind(instantMs('until', query.until))}`);
  if (query.fromSequence !== undefined) where.push(`sequence >= ${bind(query.fromSequence)}`);
  if (query.toSequence !== undefined) where.push(`sequence <= ${bind(query.toSequence)}`);
  if (query.cursor !== undefined) {
    const { index, order } = parseCursor(query.cursor);
    where.push(`(idx, ord) ${newest ? '<' : '>'} (${bind(index)}, ${bind(order)})`);
    if (newest) past = Math.min(past, index + 1);
    else low = Math.max(low, index);
  }
  where.push(`idx < ${bind(past)}`);
  if (low > 0) where.push(`idx >= ${bind(low)}`);
  if (byGroup) {
    where.push(`idx >> ${groupBits} <= ${bind(Math.floor(Math.max(0, past - 1) / 2 ** groupBits))}`);
    if (low > 0) where.push(`idx >> ${groupBits} >= ${bind(Math.floor(low / 2 ** groupBits))}`);
  }
  const direction = newest ? 'DESC' : 'ASC';
  const order = [...(byGroup ? [`idx >> ${groupBits}`] : []), 'idx', 'ord']
    .map((by) => `${by} ${direction}`)
    .join(', ');
  const text = `SELECT * FROM ${prefix}${log}_rows WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT ${limit}`;
  return { text, values };
};

/** The rows of one page out of one more, and the cursor behind them where there is more. */
export const toPage = <Found extends Readonly<Record<string, unknown>>>(
  found: readonly Found[],
  limit: number,
): { readonly page: readonly Found[]; readonly next?: string } => {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return found.length > limit && last !== undefined
    ? { page, next: cursorText(Number(last['idx']), Number(last['ord'])) }
    : { page };
};

/** A row's place in its entry is a number of two octets. */
const orderMax = 32_767;
// A place in the log, not an offset into a result: it means the same however much the log has grown.
const cursorText = (index: number, order: number): string => Buffer.from(`${index}.${order}`).toString('base64url');
/** Behind everything that a log of this size holds: whoever goes on from it reads what comes. */
export const cursorBehind = (size: number): string => cursorText(size - 1, orderMax);
const parseCursor = (cursor: string): { readonly index: number; readonly order: number } => {
  const [, index, order] = /^(-1|\d{1,15})\.(\d{1,5})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (index === undefined || order === undefined || Number(order) > orderMax)
    throw badQuery('the cursor is none that a page gave');
  return { index: Number(index), order: Number(order) };
};

/** Throws `audit/bad-query`. */
export const instantMs = (name: string, text: string): number => {
  const ms = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(ms)) throw badQuery(`${name} is no instant: write RFC 3339`);
  return ms;
};

const badQuery = (detail: string): Problem => new Problem('audit/bad-query', { detail });
