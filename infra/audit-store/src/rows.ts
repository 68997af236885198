/** How an {@link AuditRow} lies in a table: the same columns in every SQL backend. */
import { Problem } from '@postern/schemas';
import type { AuditRow, FoundRow, LogName } from './port.ts';

export const textColumns = [
  'id',
  'at',
  'type',
  'outcome',
  'reason',
  'subject',
  'actor',
  'role',
  'service',
  'endpoint',
  'trace',
  'body',
] as const;
export const numberColumns = ['idx', 'ord', 'at_ms', 'sequence'] as const;
export const columns = [...numberColumns, ...textColumns] as const;
export type Column = (typeof columns)[number];
export type Columns = Readonly<Record<Column, string | number | null>>;

/** `order` is the row's place within its entry. */
export const toColumns = (row: AuditRow, index: number, order: number): Columns => {
  const atMs = Date.parse(row.at);
  if (Number.isNaN(atMs)) throw new RangeError(`${JSON.stringify(row.at)} is no instant`);
  const text = Object.fromEntries(textColumns.map((name) => [name, storable(row[name])])) as Record<
    (typeof textColumns)[number],
    string | null
  >;
  return { idx: index, ord: order, at_ms: atMs, sequence: row.sequence ?? null, ...text };
};

/** PostgreSQL stores neither NUL nor unpaired surrogates; the verbatim bytes stand in the entry. */
const storable = (text: string | undefined): string | null => text?.toWellFormed().replaceAll('\0', '\ufffd') ?? null;

/** Absent members stay absent; anything but what {@link toColumns} wrote is a `audit/record-altered`. */
export const fromColumns = (found: Readonly<Record<string, unknown>>, log: LogName): FoundRow => {
  const { id, at, type, body } = found;
  if (typeof id !== 'string' || typeof at !== 'string' || typeof type !== 'string' || typeof body !== 'string')
    throw new Problem('audit/record-altered', { detail: `a row of ${log} at index ${found['idx']} is incomplete` });
  const optional = Object.fromEntries(
    textColumns.filter((name) => typeof found[name] === 'string').map((name) => [name, found[name]]),
  );
  return {
    ...optional,
    id,
    at,
    type,
    body,
    index: Number(found['idx']),
    ...(found['sequence'] !== null && { sequence: Number(found['sequence']) }),
  };
};
