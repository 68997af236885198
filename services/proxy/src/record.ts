/**
 * The record of decisions on its way to the log: one line a request, packed into batches that fit one entry of the audit tree.
 * (instance, batch) is dense, so that a gap proves a loss. What the log has not taken yet waits in the journal and, the next of it,
 * here, up to a limit; beyond it the gate refuses, because nothing passes unrecorded. Refusals and cuts are never held back by it.
 */

import type { EventLog } from '@postern/event-log';
import type { Logger } from '@postern/runtime';
import { decisionBatchBytesMax } from '@postern/schemas';
import { batchBytes, batchClosing, batchOpening } from './batch.ts';
import type { DecisionLine } from './gate/passage.ts';
import type { Journal, Place } from './journal/journal.ts';

const flushAfterMs = 20;
/** Between two attempts while the log is away. */
const retryAfterMs = 250;
/** A log that has not answered for this long is away. */
export const awayAfterMs = 1_000;
/** Batches in one call. */
const publishedAtOnceMax = 8;
/** Further ones that wait are read from the journal again when it is their turn. */
const batchesInMemoryMax = 64;
/** In one call into the kernel. */
const writtenAtOnceMax = 64;

export type Recorder = {
  /** False when there is no room: then the request must be refused. */
  readonly take: (record: Partial<DecisionLine>) => boolean;
  /**
   * The same of what may pass, in its turn: `then` hears, within this turn of the loop, whether it is recorded. What comes together is
   * written together, which costs one call into the kernel instead of one each.
   */
  readonly admit: (record: Partial<DecisionLine>, then: (recorded: boolean) => void) => void;
  /** Why nothing may pass now, as far as it is recording that forbids it. */
  readonly full: () => string | undefined;
  readonly waiting: () => number;
  /** The log does not take decisions now. */
  readonly away: () => boolean;
  readonly journalBytes: () => number;
  /** Resolves when all is in the log, or `timeoutMs` has passed; says how many decisions are left. */
  readonly stop: (timeoutMs: number) => Promise<number>;
};

export type RecorderOptions = {
  readonly instance: string;
  /** `strict`: nothing passes while the log is away. `bounded`: as long as there is room. */
  readonly mode?: 'bounded' | 'strict';
  /** Decisions that may wait. */
  readonly decisionsMax: number;
  /** Bytes of the journal. */
  readonly bytesMax?: number;
  /** Without one whatever waits is lost with the process. */
  readonly journal?: Journal | undefined;
  /** Monotonic, in ms. */
  readonly elapsed: () => number;
  readonly log: Logger;
};

type Batch = {
  readonly number: number;
  readonly count: number;
  bytes: Uint8Array | undefined;
  readonly place: Place | undefined;
};

export const recorder = (decisions: Pick<EventLog['decisions'], 'publish'>, options: RecorderOptions): Recorder => {
  const {
    instance,
    mode = 'bounded',
    decisionsMax,
    bytesMax = Number.POSITIVE_INFINITY,
    journal,
    elapsed,
    log,
  } = options;
  /** The frame, with room for any batch number. */
  const frameBytes = Buffer.byteLength(batchOpening(instance, Number.MAX_SAFE_INTEGER) + batchClosing);
  let lines: string[] = [];
  let bytes = frameBytes;
  let batchNumber = 0;
  let ready: Batch[] = [];
  let count = journal?.left.reduce((sum, run) => sum + run.count, 0) ?? 0;
  let timer: NodeJS.Timeout | undefined;
  let publishing: Promise<void> | undefined;
  let abandoned = false;
  let failing = false;
  let askedAt: number | undefined;
  let unwritable: string | undefined;
  journal?.begin(instance);

  const away = (): boolean => failing || (askedAt !== undefined && elapsed() - askedAt > awayAfterMs);
  const noRoom = (): string | undefined =>
    count >= decisionsMax
      ? `${decisionsMax} decisions wait for the log`
      : journal !== undefined && journal.bytes() >= bytesMax
        ? `${bytesMax} bytes of decisions wait for the log`
        : undefined;
  const forbidden = (): string | undefined =>
    mode === 'strict' && away() ? 'the log does not take decisions, and recording is strict' : undefined;

  /** Durable when it resolves. Resolves to false when nobody waits for it any more. */
  const persist = async (records: () => readonly Uint8Array[], key: string): Promise<boolean> => {
    for (let complained = false; ; complained = true) {
      askedAt = elapsed();
      const late = setTimeout(() => journal?.sync(), awayAfterMs + flushAfterMs).unref();
      try {
        await decisions.publish(records().map((each) => ({ key, bytes: each })));
        failing = false;
        return true;
      } catch (error) {
        failing = true;
        journal?.sync();
        if (!complained) log.error({ err: error, waiting: count }, 'decisions cannot be recorded; they wait');
        // The same batches with the same numbers: a repetition is known by them.
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref());
        if (abandoned) return false;
      } finally {
        askedAt = undefined;
        clearTimeout(late);
      }
    }
  };
  const close = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0) return;
    const number = ++batchNumber;
    const inMemory = journal === undefined || ready.length < batchesInMemoryMax;
    ready.push({
      number,
      count: lines.length,
      bytes: inMemory ? batchBytes(instance, number, lines) : undefined,
      place: journal?.close(number),
    });
    lines = [];
    bytes = frameBytes;
    publishing ??= publish().finally(() => {
      publishing = undefined;
    });
  };
  const flush = (): void => {
    // While the log is away a batch grows until it is full; what is in it is brought to the disk meanwhile.
    if (!away() || ready.length === 0) close();
    else {
      timer = undefined;
      journal?.sync();
    }
  };
  const publish = async (): Promise<void> => {
    while (ready.length > 0) {
      const batches = ready.slice(0, publishedAtOnceMax);
      for (const batch of batches)
        if (batch.bytes === undefined && journal !== undefined && batch.place !== undefined)
          batch.bytes = batchBytes(instance, batch.number, journal.lines(batch.place));
      if (!(await persist(() => batches.flatMap((batch) => batch.bytes ?? []), instance))) return;
      ready = ready.slice(batches.length);
      for (const batch of batches) count -= batch.count;
      journal?.acknowledged(batches.at(-1)?.number ?? 0);
      if (ready.length === 0 && timer === undefined) close();
    }
  };
  const replay = async (): Promise<void> => {
    for (const run of journal?.left ?? []) {
      log.warn({ decisions: run.count }, 'decisions of an earlier run are recorded now');
      for (const batch of run.batches()) {
        if (!(await persist(() => [batch.bytes], batch.instance))) return;
        count -= batch.count;
      }
      run.remove();
    }
  };
  const replaying = replay();

  const refused = (record: Partial<DecisionLine>): boolean =>
    noRoom() !== undefined || (record.outcome === 'allow' && forbidden() !== undefined);
  /** All of them or none. Together they fit the batch that is open. */
  const write = (texts: readonly string[], size: number): boolean => {
    const why = journal?.line(...texts);
    if (why !== unwritable && why !== undefined) log.error({ waiting: count }, why);
    unwritable = why;
    if (why !== undefined) return false;
    lines.push(...texts);
    bytes += size;
    timer ??= setTimeout(flush, flushAfterMs);
    return true;
  };
  /** Counted already, so that no more is let in than there is room for. */
  let admitted: { readonly line: string; readonly then: (recorded: boolean) => void }[] = [];
  const writeAdmitted = (): void => {
    const all = admitted;
    admitted = [];
    for (let from = 0; from < all.length; ) {
      const texts: string[] = [];
      let size = 0;
      for (const { line } of all.slice(from, from + writtenAtOnceMax)) {
        const one = Buffer.byteLength(line) + 1;
        if (bytes + size + one > decisionBatchBytesMax) {
          if (texts.length > 0) break;
          close();
        }
        texts.push(line);
        size += one;
      }
      const recorded = write(texts, size);
      if (!recorded) count -= texts.length;
      const next = from + texts.length;
      for (; from < next; from++) all[from]?.then(recorded);
    }
  };

  const admit: Recorder['admit'] = (record, then) => {
    if (refused(record)) return then(false);
    count++;
    if (admitted.push({ line: JSON.stringify(record), then }) === 1) setImmediate(writeAdmitted);
  };

  return {
    admit,
    // Behind whatever waits: in the order in which they were decided.
    take: (record) => {
      let taken = false;
      admit(record, (recorded) => {
        taken = recorded;
      });
      writeAdmitted();
      return taken;
    },
    // A journal that could not be written is tried again with the refusal's own line.
    full: () => noRoom() ?? forbidden() ?? unwritable,
    waiting: () => count,
    away,
    journalBytes: () => journal?.bytes() ?? 0,
    stop: async (timeoutMs) => {
      writeAdmitted();
      close();
      const all = Promise.all([publishing, replaying]);
      await Promise.race([all, new Promise((resolve) => setTimeout(resolve, timeoutMs).unref())]);
      abandoned = true;
      return count;
    },
  };
};
