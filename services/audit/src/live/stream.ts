/**
 * Decisions as they come into the record, as server-sent events. It reads from the record and holds nothing back for anybody: a slow
 * reader falls behind and goes on from where it is, and the id of each event says where that is, after a break too.
 */
import { type AuditQuery, type AuditReader, cursorBehind } from '@postern/audit-store';
import { toItem } from '../routes/records.ts';
import type { Growth } from './growth.ts';

export type LiveQuery = Pick<AuditQuery, 'outcome' | 'subject' | 'service' | 'endpoint'>;
export type LiveDeps = {
  readonly reader: Pick<AuditReader, 'find'>;
  readonly growth: Growth;
  readonly elapsed: () => number;
  /** So many more decisions go out. */
  readonly told: (rows: number) => void;
  readonly signal: AbortSignal;
};

const pageRows = 200;
/** Below every idle limit on the way; it also says how far was looked where nothing matched. */
const beatMs = 15_000;
/** Then the caller asks again, from where it is: who reads is written down when a reading ends, and must not wait for days. */
const usualStretchMs = 300_000;

const beat = (cursor: string): string => `id: ${cursor}\nevent: beat\ndata: {}\n\n`;

/** `lastId`: the id of the last event that arrived; from now on where there is none. Ends with its stretch, or with `signal`. */
export async function* liveDecisions(
  { reader, growth, elapsed, told, signal }: LiveDeps,
  query: LiveQuery,
  lastId: string | undefined,
  stretchMs = usualStretchMs,
): AsyncGenerator<string> {
  let cursor = lastId ?? cursorBehind((await reader.find('decisions', { limit: 1 })).size);
  // At once, so that everybody on the way knows that it has begun.
  yield `retry: 1000\n${beat(cursor)}`;
  const began = elapsed();
  let saidAt = began;
  while (!signal.aborted && elapsed() - began < stretchMs) {
    const { rows, next, size } = await reader.find('decisions', { ...query, order: 'oldest', cursor, limit: pageRows });
    cursor = next ?? cursorBehind(size);
    if (rows.length > 0) {
      told(rows.length);
      saidAt = elapsed();
      yield `id: ${cursor}\nevent: decisions\ndata: ${JSON.stringify(rows.map(toItem))}\n\n`;
    } else if (elapsed() - saidAt >= beatMs) {
      saidAt = elapsed();
      yield beat(cursor);
    }
    if (next === undefined) {
      let now = size;
      while (now === size && !signal.aborted && elapsed() - saidAt < beatMs && elapsed() - began < stretchMs)
        now = await growth.next();
    }
  }
}
