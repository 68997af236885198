/** What the conformance suite writes: numbered entries, and an append at the head as ingest makes it. */
import { createHash } from 'node:crypto';
import { growEdge, leafHash } from '@postern/schemas/tlog';
import type { AuditEntry, AuditRow, AuditStore, LogName } from './port.ts';

/** An empty place for one record; it may be opened again and again, by several at once. */
export type StorePlace = AsyncDisposable & {
  readonly open: () => Promise<AuditStore>;
  /** Runs a statement behind the port's back, as the record's own administrator would. Rejects where it is refused. */
  readonly execute: (statement: string) => Promise<void>;
};
export type Cases = Readonly<Record<string, (place: StorePlace) => Promise<void>>>;

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
export const entryOf = (bytes: Uint8Array, rows: readonly AuditRow[] = []): AuditEntry => ({
  bytes: Uint8Array.from(bytes),
  leaf: leafHash(sha256, bytes),
  rows,
});
export const rowOf = (number: number, more: Partial<AuditRow> = {}): AuditRow => ({
  id: `id-${number}`,
  at: new Date(Date.UTC(2030, 0, 1, 0, 0, number)).toISOString(),
  type: 'postern.grant.issued.v1',
  body: JSON.stringify({ number }),
  ...more,
});
export const numbered = (
  from: number,
  count: number,
  more: (number: number) => Partial<AuditRow> = () => ({}),
): AuditEntry[] =>
  Array.from({ length: count }, (_, at) =>
    entryOf(Buffer.from(`{"number":${from + at}}`), [rowOf(from + at, { sequence: from + at, ...more(from + at) })]),
  );

/** Appends at the head as ingest does. */
export const grow = async (
  store: AuditStore,
  log: LogName,
  entries: readonly AuditEntry[],
  cursors = {},
): Promise<void> => {
  const { size, edge } = await store.writer.state(log);
  const grown = growEdge(
    sha256,
    edge,
    size,
    entries.map(({ leaf }) => leaf),
  );
  await store.writer.append({ log, expected: size, entries, edge: grown, cursors });
};
export const idsOf = ({ rows }: { readonly rows: readonly AuditRow[] }): string[] => rows.map(({ id }) => id);
export const plain = (bytes: readonly Uint8Array[]): number[][] => bytes.map((value) => [...value]);
