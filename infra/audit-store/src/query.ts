/** An {@link AuditQuery} as one SQL statement, the same for every SQL backend but for the spelling of its placeholders. */
import { Problem } from '@postern/schemas';
import type { AuditQuery } from './port.ts';

export const pageRowsMax = 1_000;

export type Statement = { readonly text: string; readonly values: readonly (string | number)[] };
/** The placeholder of the n-th value, counted from 1. */
export type Placeholder = (position: number) => string;

const equalities = ['id', 'type', 'outcome', 'subject', 'role', 'service', 'endpoint', 'trace'] as const;

/**
 * Finds one row more than the limit, in order, among the entries before `size`: what was appended behind it does not move pages.
 * Throws `audit/bad-query`.
 */
export const toStatement = (table: string, query: AuditQuery, size: number, placeholder: Placeholder): Statement => {
  const limit = query.limit;
  if (!Number.isInteger(limit) || limit < 1 || limit > pageRowsMax)
    throw badQuery(`limit is a whole number from 1 to ${pageRowsMax}`);
  const values: (string | number)[] = [];
  const bind = (value: string | number): string => placeholder(values.push(value));
  const where = [`idx < ${bind(size)}`];
  for (const column of equalities) {
    const value = query[column];
    if (value !== undefined) where.push(`${column} = ${bind(value)}`);
  }
  if (query.since !== undefined) where.push(`at_ms >= ${bind(instantMs('since', query.since))}`);
  if (query.until !== undefined) where.push(`at_ms < ${bind(instantMs('until', query.until))}`);
  if (query.fromSequence !== undefined) where.push(`sequence >= ${bind(query.fromSequence)}`);
  if (query.toSequence !== undefined) where.push(`sequence <= ${bind(query.toSequence)}`);
  const newest = query.order !== 'oldest';
  if (query.cursor !== undefined) {
    const { index, order } = parseCursor(query.cursor);
    where.push(`(idx, ord) ${newest ? '<' : '>'} (${bind(index)}, ${bind(order)})`);
  }
  const direction = newest ? 'DESC' : 'ASC';
  const text = `SELECT * FROM ${table} WHERE ${where.join(' AND ')} ORDER BY idx ${direction}, ord ${direction} LIMIT ${limit + 1}`;
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

// A place in the log, not an offset into a result: it means the same however much the log has grown.
const cursorText = (index: number, order: number): string => Buffer.from(`${index}.${order}`).toString('base64url');
/** Behind everything that a log of this size holds: whoever goes on from it reads what comes. */
export const cursorBehind = (size: number): string => cursorText(size - 1, 999_999_999);
const parseCursor = (cursor: string): { readonly index: number; readonly order: number } => {
  const [, index, order] = /^(-1|\d{1,15})\.(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (index === undefined || order === undefined) throw badQuery('the cursor is none that a page gave');
  return { index: Number(index), order: Number(order) };
};

/** Throws `audit/bad-query`. */
export const instantMs = (name: string, text: string): number => {
  const ms = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(ms)) throw badQuery(`${name} is no instant: write RFC 3339`);
  return ms;
};

const badQuery = (detail: string): Problem => new Problem('audit/bad-query', { detail });
