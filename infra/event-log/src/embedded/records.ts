/** A stream of opaque records in an embedded log: one partition, one table, offsets dense from 1. */
import type { DatabaseSync } from 'node:sqlite';
import { Problem } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Cursors, IncomingRecord, RecordBatch, RecordLog } from '../port.ts';
import type { Bell } from './bell.ts';
import type { GroupCommit } from './group-commit.ts';
import { lastNumberOf } from './last-number.ts';

type Deps = {
  readonly database: DatabaseSync;
  readonly table: 'decisions' | 'enforcement' | 'quarantine';
  readonly commits: GroupCommit;
  readonly bell: Bell;
  readonly carrier: () => Carrier;
  readonly problem: (error: unknown) => Problem;
  /** How long a record is kept; for ever where it is not given. */
  readonly retentionSeconds?: number;
};

const partition = '0';
const batchRowsMax = 256;
/** Looking for old records costs a search: it is done once in so many publishes. */
const publishesPerPruning = 512;

export const embeddedRecords = (deps: Deps): RecordLog => {
  const { database, table, commits, bell, carrier, problem, retentionSeconds } = deps;
  const insert = database.prepare(`INSERT INTO ${table} (bytes, headers) VALUES (?, ?)`);
  const from = database.prepare(
    `SELECT position, bytes, headers FROM ${table} WHERE position >= ? ORDER BY position LIMIT ?`,
  );
  const lowest = database.prepare(`SELECT min(position) AS low FROM ${table}`);
  const prune = database.prepare(
    `DELETE FROM ${table} WHERE position < (SELECT min(position) FROM ${table} WHERE at >= unixepoch() - ?)`,
  );
  const lastNumber = lastNumberOf(database, table);
  const end = () => lastNumber() + 1;
  const low = () => Number(lowest.get()?.['low'] ?? end());
  let publishes = 0;

  const read = (cursor: number): RecordBatch => {
    if (cursor < low() || cursor > end()) throw truncated(table, cursor, low(), end());
    const records = from.all(cursor, batchRowsMax).map(
      (row): IncomingRecord => ({
        partition,
        offset: Number(row['position']),
        bytes: row['bytes'] as Uint8Array,
        headers: typeof row['headers'] === 'string' ? JSON.parse(row['headers']) : {},
      }),
    );
    for (const [index, { offset }] of records.entries())
      if (offset !== cursor + index) throw truncated(table, cursor + index, offset, end());
    return { records, atEnd: cursor + records.length === end() };
  };

  return {
    publish: async (records) => {
      const hop = carrier();
      await commits.write(bell, () => {
        for (const { bytes, headers } of records) {
          const all = { ...hop, ...headers };
          insert.run(bytes, Object.keys(all).length > 0 ? JSON.stringify(all) : null);
        }
        if (retentionSeconds !== undefined && publishes++ % publishesPerPruning === 0) prune.run(retentionSeconds);
      });
    },

    end: async (): Promise<Cursors> => {
      commits.flush();
      return { [partition]: end() };
    },

    async *follow(cursors, { signal, beatMs = 1_000 }) {
      let cursor = cursors === 'end' ? end() : (cursors[partition] ?? low());
      while (!signal.aborted) {
        let batch: RecordBatch;
        try {
          batch = read(cursor);
          cursor += batch.records.length;
        } catch (error) {
          throw problem(error);
        }
        yield batch;
        if (batch.atEnd && cursor === end()) await bell.wait(beatMs, signal);
      }
    },
  };
};

const truncated = (table: string, cursor: number, low: number, end: number): Problem =>
  new Problem('event-log/truncated', {
    detail: `this reader needs record ${cursor} of ${table}; the log holds ${low} to ${end - 1}`,
    members: { partition, cursor, low },
  });
