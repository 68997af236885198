/** How an {@link AuditRow} lies in a table: the same columns in every SQL backend. */
import { Problem } from '@postern/schemas';
import { storableText } from '@postern/schemas/record';
import type { AuditEntry, AuditRow, FoundRow, KeptCheckpoint, LogName } from './port.ts';
import { isWithin, type Span } from './spans.ts';

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
export const numberColumns = ['idx', 'at_ms', 'sequence', 'body_at', 'body_bytes', 'ord'] as const;
export const columns = [...numberColumns, ...textColumns] as const;
export type Column = (typeof columns)[number];
export type Columns = Readonly<Record<(typeof textColumns)[number], string | null>> & {
  readonly idx: number;
  readonly ord: number;
  readonly at_ms: number;
  readonly sequence: number | null;
  /** Where the entry's bytes hold the body verbatim; null where the row has to hold it itself. */
  readonly body_at: number | null;
  readonly body_bytes: number | null;
};

/** The rows of the entries of one append, the first of which is to stand at `size`. */
export const columnsOf = (entries: readonly AuditEntry[], size: number): Columns[] =>
  entries.flatMap(({ bytes, rows }, at) => {
    const within = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 0;
    return rows.map((row, order) => {
      const found = toColumns(row, size + at, order, within, from);
      from = (found.body_at ?? from) + (found.body_bytes ?? 0);
      return found;
    });
  });

/** What `last-uses.ts` looks for in a body: a row that has it keeps its body. */
const furtherOperations = '"also":';

/** `order` is the row's place within its entry; its body is looked for in the entry's bytes behind `from`. */
const toColumns = (row: AuditRow, index: number, order: number, bytes: Buffer, from: number): Columns => {
  const atMs = Date.parse(row.at);
  if (Number.isNaN(atMs)) throw new RangeError(`${JSON.stringify(row.at)} is no instant`);
  const body = row.body;
  const kept = typeof body !== 'string' || body.includes(furtherOperations) || storableText(body) !== body;
  const bodyAt = kept ? -1 : bytes.indexOf(body, from);
  const at = text(row.at);
  // Member by member: this is done for every decision, and a map of names costs more than all else of it.
  return {
    idx: index,
    ord: order,
    at_ms: atMs,
    sequence: row.sequence ?? null,
    body_at: bodyAt < 0 ? null : bodyAt,
    body_bytes: bodyAt < 0 ? null : Buffer.byteLength(body),
    id: text(row.id),
    // The one spelling of an instant that everything here writes is not kept beside the instant.
    at: at === instantText(atMs) ? null : at,
    type: text(row.type),
    outcome: text(row.outcome),
    reason: text(row.reason),
    subject: text(row.subject),
    actor: text(row.actor),
    role: text(row.role),
    service: text(row.service),
    endpoint: text(row.endpoint),
    trace: text(row.trace),
    body: bodyAt < 0 ? text(body) : null,
  };
};

const text = (value: string | undefined | null): string | null =>
  value === undefined || value === null ? null : storableText(value);

/** Decisions come many to a millisecond. */
let lastInstant = { ms: Number.NaN, text: '' };
const instantText = (ms: number): string => {
  if (lastInstant.ms !== ms) lastInstant = { ms, text: new Date(ms).toISOString() };
  return lastInstant.text;
};

/**
 * Absent members stay absent; anything but what {@link columnsOf} wrote is a `audit/record-altered`. `span` is where a search by time
 * or sequence looks for the row.
 */
export const fromColumns = (
  found: Readonly<Record<string, unknown>>,
  log: LogName,
  span: Span | undefined,
): FoundRow => {
  const { id, type, body } = found;
  const atMs = Number(found['at_ms']);
  const at = typeof found['at'] === 'string' ? found['at'] : filedText(atMs);
  if (typeof id !== 'string' || typeof type !== 'string' || typeof body !== 'string')
    throw altered(log, found, 'is incomplete');
  const sequence = found['sequence'] === null ? undefined : Number(found['sequence']);
  // Searches by time look at this column: the row says the time that it is found by, and whoever compares it with its entry sees.
  const filed = atMs === Date.parse(at) ? at : filedText(atMs);
  const optional = Object.fromEntries(
    textColumns.filter((name) => typeof found[name] === 'string').map((name) => [name, found[name]]),
  );
  return {
    ...optional,
    id,
    at: isWithin(span, atMs, sequence) ? filed : `${filed}, and no search by time finds it`,
    type,
    body,
    index: Number(found['idx']),
    ...(sequence !== undefined && { sequence }),
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
