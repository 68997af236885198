/** What a case of the suite is given, and what a backend brings along. */
import type { EventLog } from '../port.ts';

/** A log that may be opened, harmed and mended; each case gets one of its own. */
export type LogUnderTest = AsyncDisposable & {
  /** What a child process opens it by. */
  readonly url: string;
  /** One more process's door to the log; a backend with a single owner gives the same door again. */
  open(): Promise<EventLog>;
  /** Closes every door. */
  close(): Promise<void>;
  /** Writes a raw record where the facts are, as a stranger would; null is a tombstone. */
  writeForeign?(bytes: Uint8Array | null): Promise<void>;
  /** Takes away what lies before the fact `sequence`. */
  truncateFacts?(sequence: number): Promise<void>;
  truncateRecords?(): Promise<void>;
  /** Has the next answers to writes dropped behind the broker's back, `count` of them. */
  loseAcknowledgements?(count: number): Promise<void>;
  /** Nothing answers until `resume`. */
  interrupt?(): Promise<void>;
  resume?(): Promise<void>;
};

export type Backend = AsyncDisposable & { readonly create: () => Promise<LogUnderTest> };
export type Exception = { readonly test: string; readonly because: string };
export type Case = { readonly name: string; readonly run: (log: LogUnderTest) => Promise<void> };
