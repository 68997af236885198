/** Reads a topic from given offsets for as long as it is wanted: through outages, elections and new partitions, never past a gap. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '@postern/schemas';
import type { FetchedMessage, FetchedPartition } from 'kafkajs/src/cluster/index.js';
import { type Connection, connectTo } from './connection.ts';
import type { KafkaSettings } from './settings.ts';

/** One partition's answer to one fetch. `position`: the next offset to read; `high`: the log's end as of this answer. */
export type PartitionAnswer = {
  readonly partition: number;
  readonly messages: readonly FetchedMessage[];
  readonly position: number;
  readonly high: number;
};

export type ReadingOptions = {
  readonly settings: KafkaSettings;
  readonly topic: string;
  readonly from: ReadonlyMap<number, number>;
  /** How long a broker holds its answer back while there is nothing new. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
};

const backOffMs = { first: 100, most: 2_000 };

/**
 * Yields what the brokers answered, one batch a fetch. An answer comes from the leader of the partition itself, so that an empty one
 * proves that there was nothing newer; without answers nothing is yielded. Throws `event-log/truncated` where a position is
 * no longer within the log; goes on trying after every other failure.
 */
export async function* reading({
  settings,
  topic,
  from,
  waitMs,
  signal,
}: ReadingOptions): AsyncGenerator<PartitionAnswer[]> {
  const positions = new Map(from);
  let connection: Connection | undefined;
  let pauseMs = backOffMs.first;
  // Whoever begins, or comes back from an outage, wants to know at once where it stands; only at the end there is time to wait.
  let atEnd = false;
  const letGo = () => {
    connection?.abandon();
    connection = undefined;
    atEnd = false;
  };
  signal.addEventListener('abort', letGo);
  try {
    while (!signal.aborted) {
      try {
        connection ??= await connectTo(settings);
        if (signal.aborted) return;
        const fetched: FetchedPartition[] = await connection.fetch(topic, positions, atEnd ? waitMs : 0);
        const answers = fetched.map(({ partition, messages, highWatermark }): PartitionAnswer => {
          const start = positions.get(partition) ?? 0;
          // A fetch answers with whole batches: what lies before the offset asked for was read before.
          const unread = messages.filter(({ offset }) => Number(offset) >= start);
          const last = unread.at(-1);
          const position = last === undefined ? start : Number(last.offset) + 1;
          positions.set(partition, position);
          const facts = unread.filter(({ isControlRecord }) => isControlRecord !== true);
          return { partition, messages: facts, position, high: Number(highWatermark) };
        });
        pauseMs = backOffMs.first;
        atEnd = answers.every(({ position, high }) => position >= high);
        if (answers.length > 0) yield answers;
      } catch (error) {
        if (signal.aborted) return;
        if (isOutOfRange(error) && connection !== undefined) await throwIfOutside(connection, topic, positions);
        letGo();
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
        pauseMs = Math.min(pauseMs * 2, backOffMs.most);
      }
    }
  } finally {
    signal.removeEventListener('abort', letGo);
    letGo();
  }
}

const isOutOfRange = (error: unknown): boolean => (error as { type?: string }).type === 'OFFSET_OUT_OF_RANGE';

const throwIfOutside = async (connection: Connection, topic: string, positions: ReadonlyMap<number, number>) => {
  const offsets = await connection.offsets(topic).catch(() => undefined);
  for (const [partition, { low, high }] of offsets ?? []) {
    const position = positions.get(partition) ?? 0;
    if (position < low || position > high) throw truncated(topic, partition, position, low, high);
  }
};

export const truncated = (topic: string, partition: number, position: number, low: number, high: number): Problem =>
  new Problem('event-log/truncated', {
    detail: `this reader needs offset ${position} of ${topic}-${partition}; the topic holds ${low} to ${high - 1}`,
    fix: 'Restore the topic; do not let this reader go on from another place.',
    members: { topic, partition, position, low, high },
  });
