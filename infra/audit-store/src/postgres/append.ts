/** One append as one transaction: entries and rows copied into their partitions, and one statement that moves everything else on. */
import type pg from 'pg';
import type { Append, AuditEntry, LogName } from '../port.ts';
import { notAtHead, packEdge } from '../promises.ts';
import { type Column, type Columns, columns, columnsOf } from '../rows.ts';
import { spanColumns, spansOf } from '../spans.ts';
import { type CopyKind, copyData, copyInto } from './copy.ts';
import { schema } from './partitions.ts';
import { transact } from './pool.ts';

type Part = { readonly first: number; readonly past: number };

const kindsOf: Partial<Record<Column, CopyKind>> = {
  idx: 'int8',
  at_ms: 'int8',
  sequence: 'int8',
  body_at: 'int4',
  body_bytes: 'int4',
  ord: 'int2',
};
const rowKinds = columns.map((name) => kindsOf[name] ?? 'text');
const entryKinds = ['int8', 'bytea', 'bytea'] as const;

/** `lockHead` locks the head first: two appends at one head stand in line, and the second finds it moved. */
export const appender = (
  pool: pg.Pool,
  lockHead: (client: pg.PoolClient, log: LogName) => Promise<number>,
): ((append: Append) => Promise<void>) => {
  /** Of each log the partitions that are known here, in order. */
  const known = new Map<LogName, readonly Part[]>();

  /** The partitions that hold [from, to), one that lies ahead of them made already. */
  const partsFor = async (log: LogName, from: number, to: number): Promise<readonly Part[]> => {
    const last = known.get(log)?.at(-1);
    if (last === undefined || last.first <= to) {
      await pool.query(`SELECT ${schema}.make_ahead($1, $2)`, [log, to]);
      const { rows } = await pool.query(
        `SELECT first, past FROM ${schema}.parts WHERE log = $1 AND first < past AND past > $2 ORDER BY first`,
        [log, from],
      );
      known.set(
        log,
        rows.map(({ first, past }) => ({ first: Number(first), past: Number(past) })),
      );
    }
    return (known.get(log) ?? []).filter(({ first, past }) => first < to && past > from);
  };

  return async ({ log, expected, entries, edge, cursors }) => {
    const found = columnsOf(entries, expected);
    const spans = spansOf(found);
    const parts = await partsFor(log, expected, expected + entries.length);
    // Straight into the partition is fastest; an append that reaches into the next one goes in by the whole.
    const suffix = parts.length === 1 ? `_p${parts[0]?.first}` : '';
    const copies = [
      {
        into: `${schema}.${log}_entries${suffix} (idx, bytes, leaf)`,
        data: copyData(entryKinds, toEntries(entries, expected)),
      },
      { into: `${schema}.${log}_rows${suffix} (${columns.join(', ')})`, data: copyData(rowKinds, toValues(found)) },
    ];
    await transact(pool, async (client) => {
      const size = await lockHead(client, log);
      if (size !== expected) throw notAtHead(log, expected, size);
      for (const { into, data } of copies) await copyInto(client, into, data);
      await client.query(moveOn(log), [
        Object.keys(cursors),
        Object.values(cursors),
        ...spanColumns.map((name) => spans.map((span) => span[name])),
        size + entries.length,
        Buffer.from(packEdge(edge)),
      ]);
    });
  };
};

function* toEntries(entries: readonly AuditEntry[], size: number) {
  for (const [at, { bytes, leaf }] of entries.entries()) yield [size + at, bytes, leaf];
}

function* toValues(rows: readonly Columns[]) {
  for (const row of rows) yield columns.map((name) => row[name]);
}

/** In one statement the cursors, the spans and the head: it is one way to the server and back. */
const moveOn = (log: LogName): string => `
  WITH cursors AS (
    INSERT INTO ${schema}.cursors (log, part, next) SELECT '${log}', * FROM unnest($1::text[], $2::bigint[])
    ON CONFLICT (log, part) DO UPDATE SET next = excluded.next
  ), spans AS (
    INSERT INTO ${schema}.${log}_spans AS there (${spanColumns.join(', ')})
    SELECT * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    ON CONFLICT (grp) DO UPDATE SET
      low_ms = least(there.low_ms, excluded.low_ms), high_ms = greatest(there.high_ms, excluded.high_ms),
      low_sequence = least(there.low_sequence, excluded.low_sequence),
      high_sequence = greatest(there.high_sequence, excluded.high_sequence)
  )
  UPDATE ${schema}.heads SET size = $8, edge = $9 WHERE log = '${log}'`;
