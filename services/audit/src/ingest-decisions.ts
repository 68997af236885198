/**
 * Decisions: opaque batches from many partitions, at least once. What lies before the stored cursor was taken in already. A batch
 * that cannot be read is a leaf all the same; only one too large for any leaf is replaced by a note that names its digest.
 */
import type { AuditEntry } from '@postern/audit-store';
import type { IncomingRecord, RecordLog } from '@postern/event-log';
import { type Clock, instant } from '@postern/runtime';
import { decisionRows, unreadableRow } from '@postern/schemas/record';
import { leafHash } from '@postern/schemas/tlog';
import type { Incoming, Source } from './ingest.ts';
import { sha256 } from './sha256.ts';

/** C2SP tlog-tiles frames an entry by a uint16. */
const leafBytesMax = 65_535;

export type DecisionsDeps = {
  readonly decisions: Pick<RecordLog, 'follow'>;
  /** Keeps the bytes that no leaf can hold. */
  readonly quarantine: Pick<RecordLog, 'publish'>;
  readonly clock: Clock;
};

export const decisionsSource = ({ decisions, quarantine, clock }: DecisionsDeps): Source => ({
  log: 'decisions',
  async *follow({ cursors }, signal) {
    const at = new Map(Object.entries(cursors));
    for await (const { records, atEnd } of decisions.follow(cursors, { signal })) {
      const incoming: Incoming[] = [];
      for (const record of records) {
        if (record.offset < (at.get(record.partition) ?? 0)) continue;
        if (record.bytes.byteLength > leafBytesMax)
          await quarantine.publish([{ key: placeOf(record), bytes: record.bytes, headers: { from: placeOf(record) } }]);
        at.set(record.partition, record.offset + 1);
        incoming.push({
          entry: toEntry(record, instant(clock)),
          cursors: { [record.partition]: record.offset + 1 },
          carrier: record.headers,
        });
      }
      yield { incoming, atHead: atEnd };
    }
  },
});

const toEntry = (record: IncomingRecord, now: string): AuditEntry => {
  const { bytes, partition, offset } = record;
  if (bytes.byteLength > leafBytesMax) {
    const why = `${bytes.byteLength} bytes do not fit a leaf; they are kept in quarantine`;
    const digest = Buffer.from(sha256(bytes)).toString('base64url');
    const note = Buffer.from(JSON.stringify({ quarantined: placeOf(record), bytes: bytes.byteLength, sha256: digest }));
    return { bytes: note, leaf: leafHash(sha256, note), rows: [unreadableRow({ partition, offset }, now, why)] };
  }
  const read = decisionRows(bytes);
  const rows = read.outcome === 'read' ? read.rows : [unreadableRow({ partition, offset }, now, read.why)];
  return { bytes, leaf: leafHash(sha256, bytes), rows };
};

const placeOf = ({ partition, offset }: IncomingRecord): string => `decisions/${partition}/${offset}`;
