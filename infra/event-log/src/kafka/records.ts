/** A stream of opaque records on Kafka. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Carrier } from '@postern/telemetry';
import type { Message } from 'kafkajs';
import type { Cursors, IncomingRecord, OutgoingRecord, RecordLog } from '../port.ts';
import { type Control, logClosed, unreachable } from './control.ts';
import { toHeaders } from './headers.ts';
import { reading, truncated } from './reading.ts';
import type { Sending } from './sending.ts';
import type { KafkaSettings } from './settings.ts';

type Deps = {
  readonly settings: KafkaSettings;
  readonly topic: string;
  readonly control: Control;
  readonly sending: Sending;
  readonly carrier: () => Carrier;
  readonly closed: AbortSignal;
};

/** Stays below a broker's default limit for one batch; a larger record travels alone, as far as the topic's own limit. */
const requestBytesMax = 900_000;
const attemptsMax = 2;
const sendTimeoutMs = 10_000;
const offsetsTimeoutMs = 10_000;
const pauseMs = 500;

export const kafkaRecords = ({ settings, topic, control, sending, carrier, closed }: Deps): RecordLog => {
  const ends = () => control.offsets(topic, AbortSignal.timeout(offsetsTimeoutMs));

  return {
    publish: async (records) => {
      const hop = carrier();
      for (const chunk of inChunks(records)) {
        const messages = chunk.map(
          ({ key, bytes, headers }): Message => ({
            key,
            value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
            headers: { ...hop, ...headers },
          }),
        );
        for (let attempt = 1; ; attempt++) {
          const sent = await sending.send(topic, messages, AbortSignal.timeout(sendTimeoutMs));
          if (sent.outcome === 'acknowledged') break;
          // At least once: a record that may have been written is written again.
          if (attempt === attemptsMax) throw unreachable(settings, sent.cause);
        }
      }
    },

    end: async (): Promise<Cursors> =>
      Object.fromEntries([...(await ends())].map(([partition, { high }]) => [partition, high])),

    async *follow(cursors, { signal: wanted, beatMs = 1_000 }) {
      const signal = AbortSignal.any([wanted, closed]);
      let offsets: Awaited<ReturnType<typeof ends>> | undefined;
      while (offsets === undefined && !signal.aborted) {
        offsets = await ends().catch(() => undefined);
        if (offsets === undefined) await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
      const from = new Map<number, number>();
      for (const [partition, { low, high }] of offsets ?? []) {
        const position = cursors === 'end' ? high : (cursors[partition] ?? low);
        if (position < low || position > high) throw truncated(topic, partition, position, low, high);
        from.set(partition, position);
      }
      if (cursors === 'end' && !signal.aborted) yield { records: [], atEnd: true };
      for await (const answers of reading({ settings, topic, from, waitMs: beatMs, signal })) {
        const records = answers.flatMap(({ partition, messages }) =>
          messages.map(
            ({ offset, value, headers }): IncomingRecord => ({
              partition: String(partition),
              offset: Number(offset),
              bytes: value === null ? new Uint8Array() : Uint8Array.from(value),
              headers: toHeaders(headers),
            }),
          ),
        );
        const atEnd = answers.every(({ position, high }) => position >= high);
        if (records.length > 0 || atEnd) yield { records, atEnd };
      }
      if (!wanted.aborted) throw logClosed();
    },
  };
};

function* inChunks(records: readonly OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let chunk: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (chunk.length > 0 && bytes + record.bytes.byteLength > requestBytesMax) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += record.bytes.byteLength;
  }
  if (chunk.length > 0) yield chunk;
}
