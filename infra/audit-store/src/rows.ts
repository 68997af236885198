/** How an {@link AuditRow} lies in a table: the same columns in every SQL backend. */
import { Problem } from '@postern/schemas';
import { storableText } from '@postern/schemas/record';
import type { AuditRow, FoundRow, KeptCheckpoint, LogName } from './port.ts';

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
  const text = (value: string | undefined | null): string | null =>
    value === undefined || value === null ? null : storableText(value);
  // Member by member: this is done for every decision, and a map of names costs more than all else of it.
  return {
    idx: index,
    ord: order,
    at_ms: atMs,
    sequence: row.sequence ?? null,
    id: text(row.id),
    at: text(row.at),
    type: text(row.type),
    outcome: text(row.outcome),
    reason: text(row.reason),
    subject: text(row.subject),
    actor: text(row.actor),
    role: text(row.role),
    service: text(row.service),
    endpoint: text(row.endpoint),
    trace: text(row.trace),
    body: text(row.body),
  };
};

/** Absent members stay absent; anything but what {@link toColumns} wrote is a `audit/record-altered`. */
export const fromColumns = (found: Readonly<Record<string, unknown>>, log: LogName): FoundRow => {
  const { id, at, type, body } = found;
  if (typeof id !== 'string' || typeof at !== 'string' || typeof type !== 'string' || typeof body !== 'string')
    throw altered(log, found, 'is incomplete');
  // Searches by time look at this column: the row says the time that it is found by, and whoever compares it with its entry sees.
  const filedMs = Number(found['at_ms']);
  const filed = filedMs === Date.parse(at) ? at : filedText(filedMs);
  const optional = Object.fromEntries(
    textColumns.filter((name) => typeof found[name] === 'string').map((name) => [name, found[name]]),
  );
  return {
    ...optional,
    id,
    at: filed,
    type,
    body,
    index: Number(found['idx']),
    ...(found['sequence'] !== null && { sequence: Number(found['sequence']) }),
  };
};

const filedText = (ms: number): string => {
  const filed = new Date(ms);
  return Number.isNaN(filed.getTime()) ? `at_ms ${ms}` : filed.toISOString();
};

const altered = (log: LogName, { idx }: Readonly<Record<string, unknown>>, why: string): Problem =>
  new Problem('audit/record-altered', {
    detail: `a row of ${log} at index ${idx} ${why}`,
    members: { index: Number(idx) },
  });

export const checkpointColumns = 'number, size, root, note, at, witnesses';
export const toKept = (found: Readonly<Record<string, unknown>>): KeptCheckpoint => ({
  number: Number(found['number']),
  size: Number(found['size']),
  root: Uint8Array.from(found['root'] as Uint8Array),
  note: String(found['note']),
  at: String(found['at']),
  witnesses: Number(found['witnesses']),
});
