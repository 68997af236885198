/**
 * The record of decisions on its way to the log: one line a request, packed into batches that fit one entry of the audit tree.
 * (instance, batch) is dense, so that a gap proves a loss. What the log has not taken yet waits here, up to a limit; beyond it the
 * gate refuses, because nothing passes unrecorded.
 */

import type { EventLog } from '@postern/event-log';
import type { Logger } from '@postern/runtime';
import { decisionBatchBytesMax } from '@postern/schemas';
import type { DecisionLine } from './gate/passage.ts';

const flushAfterMs = 20;
/** Between two attempts while the log is away. */
const retryAfterMs = 250;
/** Batches in one call. */
const publishedAtOnceMax = 8;

export type Recorder = {
  /** False when there is no room: then the request must be refused. */
  readonly take: (record: Partial<DecisionLine>) => boolean;
  readonly full: () => boolean;
  readonly waiting: () => number;
  /** Resolves when all is in the log, or `timeoutMs` has passed; says how many decisions are left. */
  readonly stop: (timeoutMs: number) => Promise<number>;
};

type Batch = { readonly bytes: Uint8Array; readonly count: number };

export const recorder = (
  decisions: Pick<EventLog['decisions'], 'publish'>,
  { instance, decisionsMax, log }: { instance: string; decisionsMax: number; log: Logger },
): Recorder => {
  const opening = (batch: number): string =>
    `{"v":1,"instance":${JSON.stringify(instance)},"batch":${batch},"decisions":[`;
  /** The frame, with room for any batch number. */
  const frameBytes = Buffer.byteLength(opening(Number.MAX_SAFE_INTEGER)) + 2;
  let lines: string[] = [];
  let bytes = frameBytes;
  let batchNumber = 0;
  let ready: Batch[] = [];
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let publishing: Promise<void> | undefined;
  let abandoned = false;

  const close = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0) return;
    ready.push({ bytes: Buffer.from(`${opening(++batchNumber)}${lines.join(',')}]}`), count: lines.length });
    lines = [];
    bytes = frameBytes;
    publishing ??= publish().finally(() => {
      publishing = undefined;
    });
  };
  const publish = async (): Promise<void> => {
    let complained = false;
    while (ready.length > 0) {
      const batches = ready.slice(0, publishedAtOnceMax);
      try {
        await decisions.publish(batches.map((batch) => ({ key: instance, bytes: batch.bytes })));
        ready = ready.slice(batches.length);
        for (const batch of batches) count -= batch.count;
        complained = false;
      } catch (error) {
        if (!complained) log.error({ err: error, waiting: count }, 'decisions cannot be recorded; they wait');
        complained = true;
        // The same batches with the same numbers: a repetition is known by them.
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref());
        if (abandoned) return;
      }
    }
  };

  return {
    take: (record) => {
      if (count >= decisionsMax) return false;
      const line = JSON.stringify(record);
      const size = Buffer.byteLength(line) + 1;
      if (bytes + size > decisionBatchBytesMax) close();
      lines.push(line);
      bytes += size;
      count++;
      timer ??= setTimeout(close, flushAfterMs);
      return true;
    },
    full: () => count >= decisionsMax,
    waiting: () => count,
    stop: async (timeoutMs) => {
      close();
      await Promise.race([publishing, new Promise((resolve) => setTimeout(resolve, timeoutMs).unref())]);
      abandoned = true;
      return count;
    },
  };
};
