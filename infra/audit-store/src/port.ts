/**
 * The audit store: the immutable record. Two logs, facts and decisions; the entries are the verbatim bytes from the event log,
 * the index of an entry is the size of its log before it. The comments are promises; conformance.ts keeps them for every backend.
 */
import type { AuditRow } from '@postern/schemas/record';
import type { Cursors } from './cursors.ts';

export type { AuditRow } from '@postern/schemas/record';

export const logNames = ['facts', 'decisions'] as const;
export type LogName = (typeof logNames)[number];

export interface AuditStore extends AsyncDisposable {
  readonly writer: AuditWriter;
  readonly reader: AuditReader;
  /** Rejects with `audit/store-unreachable` unless the store answers now. */
  ping(): Promise<void>;
}

export interface AuditWriter {
  /** About as many rows as one append does well with: more hold up others for too long, fewer cost more a row. */
  readonly rowsPerAppend: number;

  /** Size of the log, the right edge of its Merkle tree and where ingest goes on; read in one snapshot. */
  state(log: LogName): Promise<LogState>;

  /**
   * In one transaction: the entries, their leaf hashes, the rows to search them by, the new edge and the cursors. Rejects with
   * `audit/not-at-head` unless `expected` is the log's size (two ingesters cannot interleave, a repetition is refused), and then
   * changes nothing.
   */
  append(append: Append): Promise<void>;

  /**
   * Stores a signed checkpoint as the newest, and keeps it for ever (the same note twice is kept once); rejects with
   * `audit/not-at-head` if its size is behind one stored before.
   */
  seal(log: LogName, checkpoint: SealedCheckpoint): Promise<void>;

  /**
   * Keeps a checkpoint that was sealed before once more, now with the signatures of `witnesses` witnesses; it becomes what the
   * newest says where it still is the newest. Rejects with `audit/no-such-record` unless one of this size and root was sealed.
   */
  cosign(log: LogName, checkpoint: SealedCheckpoint, witnesses: number): Promise<void>;
}

export type LogState = {
  readonly size: number;
  /** The full subtrees' roots that make up the tree, largest first (RFC 6962): enough to go on hashing. */
  readonly edge: readonly Uint8Array[];
  readonly cursors: Cursors;
};

export type Append = {
  readonly log: LogName;
  readonly expected: number;
  readonly entries: readonly AuditEntry[];
  readonly edge: readonly Uint8Array[];
  readonly cursors: Cursors;
};

export type AuditEntry = {
  /** Verbatim, at most 65,535 bytes. */
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
  /** What it can be found by: one row for a fact, one per decision of a batch. */
  readonly rows: readonly AuditRow[];
};

export type SealedCheckpoint = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
  readonly at: string;
};

/** A checkpoint as it is kept: counted from 1 in the order of signing, without a gap. */
export type KeptCheckpoint = SealedCheckpoint & { readonly number: number; readonly witnesses: number };

export interface AuditReader {
  /** Newest first unless `order` says otherwise; pages by an opaque cursor that stays valid while the log grows. */
  find(
    log: LogName,
    query: AuditQuery,
  ): Promise<{ readonly rows: readonly FoundRow[]; readonly next?: string; readonly size: number }>;
  /**
   * When each endpoint was last used by whom, and by which key or actor in their name, in the allowed decisions that the record
   * holds now; in no order. It does not hold up appends for longer than a slice takes.
   */
  lastUses(query: LastUsesQuery): Promise<readonly LastUse[]>;
  /** The verbatim entries [from, to) in order; rejects with `audit/no-such-record` beyond the size. */
  entries(log: LogName, from: number, to: number): Promise<readonly Uint8Array[]>;
  /** The leaf hashes [from, to) in order. */
  leaves(log: LogName, from: number, to: number): Promise<readonly Uint8Array[]>;
  /** The newest checkpoint, if one was sealed. */
  checkpoint(log: LogName): Promise<SealedCheckpoint | undefined>;
  /** Every checkpoint that was ever sealed, oldest first: those behind `after`, at most `limit` of them. */
  checkpoints(log: LogName, after: number, limit: number): Promise<readonly KeptCheckpoint[]>;
  /** The newest of this size, or of any size; with the signatures of at least so many witnesses. */
  checkpointWith(
    log: LogName,
    wanted: { readonly size?: number; readonly witnesses?: number },
  ): Promise<KeptCheckpoint | undefined>;
}

export type AuditQuery = {
  readonly since?: string;
  readonly until?: string;
  readonly fromSequence?: number;
  readonly toSequence?: number;
  readonly id?: string;
  readonly type?: string;
  readonly outcome?: string;
  readonly subject?: string;
  readonly role?: string;
  readonly service?: string;
  readonly endpoint?: string;
  readonly trace?: string;
  readonly order?: 'newest' | 'oldest';
  readonly limit: number;
  readonly cursor?: string;
};

export type LastUsesQuery = { readonly since?: string; readonly subject?: string };
export type LastUse = {
  readonly subject: string;
  /** As {@link AuditRow.actor}. */
  readonly actor?: string;
  readonly endpoint: string;
  /** RFC 3339. */
  readonly at: string;
};

export type FoundRow = AuditRow & { readonly index: number };
