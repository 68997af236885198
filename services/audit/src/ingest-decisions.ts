/**
 * Decisions: opaque batches from many partitions, at least once. What lies before the stored cursor was taken in already. A batch
 * that cannot be read is a leaf all the same; only one too large for any leaf is replaced by a note that names its digest.
 */
import type { AuditEntry, AuditReader } from '@postern/audit-store';
import type { IncomingRecord, RecordLog } from '@postern/event-log';
import { type Clock, instant } from '@postern/runtime';
import { decisionRows, type ReadBatch, unreadableRow } from '@postern/schemas/record';
import { leafHash } from '@postern/schemas/tlog';
import type { Incoming, Source } from './ingest.ts';
import { repetitions } from './repetition.ts';
import { sha256 } from './sha256.ts';

/** C2SP tlog-tiles frames an entry by a uint16. */
const leafBytesMax = 65_535;

export type DecisionsDeps = {
  readonly decisions: Pick<RecordLog, 'follow'>;
  /** Keeps the bytes that no leaf can hold. */
  readonly quarantine: Pick<RecordLog, 'publish'>;
  /** What was taken in before. */
  readonly reader: Pick<AuditReader, 'find' | 'entries'>;
  readonly clock: Clock;
};

export const decisionsSource = ({ decisions, quarantine, reader, clock }: DecisionsDeps): Source => ({
  log: 'decisions',
  async *follow({ cursors }, signal) {
    const known = repetitions(reader);
    const at = new Map(Object.entries(cursors));
    for await (const { records, atEnd } of decisions.follow(cursors, { signal })) {
      let incoming: Incoming[] = [];
      for (const record of records) {
        if (record.offset < (at.get(record.partition) ?? 0)) continue;
        if (record.bytes.byteLength > leafBytesMax)
          await quarantine.publish([{ key: placeOf(record), bytes: record.bytes, headers: { from: placeOf(record) } }]);
        at.set(record.partition, record.offset + 1);
        const read = record.bytes.byteLength > leafBytesMax ? undefined : decisionRows(record.bytes);
        if (read?.outcome === 'read') {
          if (known.suspects(read)) {
            // What came before is taken in first, so that the record can be asked.
            if (incoming.length > 0) yield { incoming, atHead: false };
            incoming = [];
            if (await known.has(read, record.bytes)) continue;
          }
          known.taken(read);
        }
        incoming.push({
          entry: toEntry(record, read, instant(clock)),
          cursors: { [record.partition]: record.offset + 1 },
          carrier: record.headers,
        });
      }
      yield { incoming, atHead: atEnd };
    }
  },
});

const toEntry = (record: IncomingRecord, read: ReadBatch | undefined, now: string): AuditEntry => {
  const { bytes, partition, offset } = record;
  if (read === undefined) {
    const why = `${bytes.byteLength} bytes do not fit a leaf; they are kept in quarantine`;
    const digest = Buffer.from(sha256(bytes)).toString('base64url');
    const note = Buffer.from(JSON.stringify({ quarantined: placeOf(record), bytes: bytes.byteLength, sha256: digest }));
    return { bytes: note, leaf: leafHash(sha256, note), rows: [unreadableRow({ partition, offset }, now, why)] };
  }
  const rows = read.outcome === 'read' ? read.rows : [unreadableRow({ partition, offset }, now, read.why)];
  return { bytes, leaf: leafHash(sha256, bytes), rows };
};

const placeOf = ({ partition, offset }: IncomingRecord): string => `decisions/${partition}/${offset}`;
