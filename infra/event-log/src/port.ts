/**
 * The event log: the only source of truth. Three streams and a side shelf.
 *
 *   facts        one total order; compare-and-append; every reader admits the same records (schemas: `admit`)
 *   decisions    opaque batches, many partitions, at least once, in order within a partition
 *   enforcement  small heartbeats; only the recent past matters
 *   quarantine   bytes that could not be read, kept verbatim
 *
 * The comments are promises; conformance.ts keeps them for every backend.
 */
import type { FactDraft, LoggedFact, Sequence } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';

export interface EventLog extends AsyncDisposable {
  readonly facts: FactLog;
  readonly decisions: RecordLog;
  readonly enforcement: RecordLog;
  readonly quarantine: RecordLog;
  /** Rejects with `event-log/unreachable` unless the log answers now. */
  ping(): Promise<void>;
}

export interface FactLog {
  /** The sequence of the last fact, as of now or later: a fact whose append was acknowledged before the call is counted. */
  head(): Promise<Sequence>;

  /**
   * Appends all drafts behind `expected`, or none. `appended`: they are durable (fsync, or acknowledged by all in-sync
   * replicas) and admitted by every reader. `lost`: somebody else was first; read on from `head` and decide again.
   * Rejects with `event-log/outcome-unknown` where no answer came: the append may still be found in the log, once.
   * Rejects with `event-log/disk-full` and `event-log/unreachable` when nothing was written.
   */
  append(expected: Sequence, drafts: readonly FactDraft[]): Promise<Appended>;

  /**
   * Yields every fact behind `after`, in order, each once, and goes on with new ones until `signal` aborts. Also yields, with no
   * entries, each time the log has confirmed that there is nothing newer (at least every `beatMs` while it is reachable): a
   * reader that no longer receives anything has lost the log. `atHead` is true when everything that existed at the time of
   * the fetch has been yielded.
   *
   * Throws `event-log/truncated` where the log no longer holds `after + 1` (compared at the start and every minute with the low
   * watermark), so that no reader skips silently. While the log is unreachable it yields nothing and keeps trying.
   * A batch never ends within an append: whoever applies a batch whole never stands between two facts that belong together.
   * Records that are not facts are reported in `strangers` and passed over; lost races are passed over silently.
   */
  follow(after: Sequence, options: FollowOptions): AsyncIterable<FactBatch>;
}

export type Appended =
  | { readonly outcome: 'appended'; readonly head: Sequence; readonly entries: readonly LoggedFact[] }
  | { readonly outcome: 'lost'; readonly head: Sequence };

export type FollowOptions = { readonly signal: AbortSignal; readonly beatMs?: number };

export type FactBatch = {
  readonly entries: readonly LoggedFact[];
  readonly atHead: boolean;
  readonly strangers: readonly Stranger[];
  /** The trace context each entry was written in, where there was one: what handles the entry may continue it. */
  readonly carriers?: ReadonlyMap<Sequence, Carrier>;
};

/** A record in the facts stream that is no fact. `position` names its place in the backend's own terms. */
export type Stranger = { readonly bytes: Uint8Array; readonly position: string; readonly why: string };

/** A stream of opaque records. */
export interface RecordLog {
  /** Durable when it resolves; the records stay in the order given. Rejects with `event-log/unreachable` or `event-log/disk-full`. */
  publish(records: readonly OutgoingRecord[]): Promise<void>;

  /**
   * Yields the records behind `from` (all that are retained where a partition is not named), at least once, in order within a
   * partition, until `signal` aborts; with no records each time there is nothing newer. `from: 'end'` begins with what is
   * published after the first yield. Throws `event-log/truncated` as {@link FactLog.follow} does.
   */
  follow(from: Cursors | 'end', options: FollowOptions): AsyncIterable<RecordBatch>;

  /** Where the stream ends now: every record whose publish was acknowledged before the call lies before these cursors. */
  end(): Promise<Cursors>;
}

/** Records with the same key stay in order. */
export type OutgoingRecord = {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
};

/** partition → the offset of the next record to read. */
export type Cursors = Readonly<Record<string, number>>;

export type IncomingRecord = {
  readonly partition: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
};

export type RecordBatch = { readonly records: readonly IncomingRecord[]; readonly atEnd: boolean };

/** A stream of events that others write: an HR system's topic. At least once; what the handler resolves is not seen again. */
export interface InboundFeed extends AsyncDisposable {
  /**
   * Hands the messages that wait to `handle`, one or more at a time and of one partition, in order, and commits behind them once it
   * resolves. `handle` rejects only for failures of ours (the log is away): then the same messages are handed over again, after a
   * pause. Resolves when `signal` aborts.
   */
  consume(handle: (messages: readonly InboundMessage[]) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export type InboundMessage = {
  readonly topic: string;
  readonly position: string;
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
};
