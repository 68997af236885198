/** The audit store on a PostgreSQL server: any number of readers, one ingester at a time, whoever holds the head's row. */
import type pg from 'pg';
import { findPage } from '../find.ts';
import { gatherLastUses, type UsedRow } from '../last-uses.ts';
import type { AuditStore, LogName, SealedCheckpoint } from '../port.ts';
import { checkAppend, checkComplete, checkRange, neverSealed, notAtHead, unpackEdge } from '../promises.ts';
import type { SearchDialect } from '../query.ts';
import { checkpointColumns, toKept } from '../rows.ts';
import { appender } from './append.ts';
import { migrate, openPool, prepareAsOwner, toProblem, transact } from './pool.ts';
import { schema } from './tables.ts';

/** Rejects with `audit/store-unreachable`. */
export const openPostgresAuditStore = async (url: string, ownerUrl?: string): Promise<AuditStore> => {
  const pool = openPool(url);
  const run = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw toProblem(error);
    }
  };
  const slice = async (log: LogName, column: 'bytes' | 'leaf', from: number, to: number): Promise<Uint8Array[]> => {
    checkRange(log, from, to, await sizeOf(pool, log));
    const { rows } = await pool.query(
      `SELECT idx, ${column} AS value FROM ${schema}.${log}_entries WHERE idx >= $1 AND idx < $2 ORDER BY idx`,
      [from, to],
    );
    checkComplete(
      log,
      rows.map(({ idx }) => Number(idx)),
      from,
      to,
    );
    return rows.map(({ value }) => Uint8Array.from(value));
  };

  const appendTo = appender(pool, (client, log) => sizeOf(client, log, 'FOR UPDATE'));
  try {
    await (ownerUrl === undefined ? migrate(pool) : prepareAsOwner(ownerUrl, url));
  } catch (error) {
    await pool.end();
    throw toProblem(error);
  }
  return {
    writer: {
      // Its ways to the server, and its flush to the disk, are paid by all of them together.
      rowsPerAppend: 3_000,
      state: (log) =>
        run(async () => {
          // One statement is one snapshot.
          const { rows } = await pool.query(
            `SELECT size, edge, (SELECT COALESCE(json_object_agg(part, next), '{}') FROM ${schema}.cursors WHERE log = $1) AS cursors
             FROM ${schema}.heads WHERE log = $1`,
            [log],
          );
          return { size: Number(rows[0].size), edge: unpackEdge(rows[0].edge), cursors: rows[0].cursors };
        }),
      append: (append) =>
        run(async () => {
          checkAppend(append);
          await appendTo(append);
        }),
      seal: (log, { size, root, note, at }) =>
        run(() =>
          transact(pool, async (client) => {
            const head = await sizeOf(client, log, 'FOR SHARE');
            const sealed = await client.query(`SELECT size FROM ${schema}.seals WHERE log = $1 FOR UPDATE`, [log]);
            const behind = Number(sealed.rows[0]?.size ?? 0);
            if (size < behind || size > head) throw notAtHead(log, size, size < behind ? behind : head);
            await setNewest(client, log, { size, root, note, at });
            await keep(client, log, { size, root, note, at }, 0);
          }),
        ),
      cosign: (log, checkpoint, witnesses) =>
        run(() =>
          transact(pool, async (client) => {
            await sizeOf(client, log, 'FOR SHARE');
            const newest = await client.query(`SELECT size FROM ${schema}.seals WHERE log = $1 FOR UPDATE`, [log]);
            const sealed = await client.query(
              `SELECT root FROM ${schema}.checkpoints WHERE log = $1 AND size = $2 ORDER BY number DESC LIMIT 1`,
              [log, checkpoint.size],
            );
            if (sealed.rows[0]?.root.equals(checkpoint.root) !== true) throw neverSealed(log, checkpoint.size);
            if (Number(newest.rows[0]?.size) === checkpoint.size) await setNewest(client, log, checkpoint);
            await keep(client, log, checkpoint, witnesses);
          }),
        ),
    },
    reader: {
      find: (log, query) =>
        run(async () => {
          const size = await sizeOf(pool, log);
          return findPage(
            dialect,
            log,
            query,
            size,
            async ({ text, values }) => (await pool.query<Record<string, unknown>>(text, [...values])).rows,
          );
        }),
      lastUses: (query) =>
        run(async () => {
          const uses = {
            table: `${schema}.decisions_rows`,
            also: `json_array_elements_text(CASE WHEN body LIKE '%"also":%' THEN body::json -> 'also' END) AS value`,
            placeholder: dialect.placeholder,
          };
          return gatherLastUses(
            uses,
            query,
            await sizeOf(pool, 'decisions'),
            async ({ text, values }) => (await pool.query<UsedRow>(text, [...values])).rows,
          );
        }),
      entries: (log, from, to) => run(() => slice(log, 'bytes', from, to)),
      leaves: (log, from, to) => run(() => slice(log, 'leaf', from, to)),
      checkpoint: (log) =>
        run(async () => {
          const { rows } = await pool.query(`SELECT size, root, note, at FROM ${schema}.seals WHERE log = $1`, [log]);
          const [sealed] = rows;
          return sealed === undefined
            ? undefined
            : { size: Number(sealed.size), root: Uint8Array.from(sealed.root), note: sealed.note, at: sealed.at };
        }),
      checkpoints: (log, after, limit) =>
        run(async () => {
          const { rows } = await pool.query(
            `SELECT ${checkpointColumns} FROM ${schema}.checkpoints WHERE log = $1 AND number > $2 ORDER BY number LIMIT $3`,
            [log, after, limit],
          );
          return rows.map(toKept);
        }),
      checkpointWith: (log, { size, witnesses = 0 }) =>
        run(async () => {
          const { rows } = await pool.query(
            `SELECT ${checkpointColumns} FROM ${schema}.checkpoints
             WHERE log = $1 AND ($2::bigint IS NULL OR size = $2) ${witnesses > 0 ? 'AND witnesses > 0' : ''} AND witnesses >= $3
             ORDER BY number DESC LIMIT 1`,
            [log, size ?? null, witnesses],
          );
          return rows[0] === undefined ? undefined : toKept(rows[0]);
        }),
    },
    ping: () => run(async () => void (await pool.query('SELECT 1'))),
    async [Symbol.asyncDispose]() {
      if (!pool.ended) await pool.end();
    },
  };
};

const dialect: SearchDialect = {
  prefix: `${schema}.`,
  placeholder: (position) => `$${position}`,
  indexedByGroup: true,
};

const setNewest = async (
  client: pg.PoolClient,
  log: LogName,
  { size, root, note, at }: SealedCheckpoint,
): Promise<void> => {
  await client.query(
    `INSERT INTO ${schema}.seals (log, size, root, note, at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at`,
    [log, size, Buffer.from(root), note, at],
  );
};

/** The same note is a proof of life, and kept once. The row of the newest is locked, so two never take one number. */
const keep = async (
  client: pg.PoolClient,
  log: LogName,
  { size, root, note, at }: SealedCheckpoint,
  witnesses: number,
): Promise<void> => {
  await client.query(
    `INSERT INTO ${schema}.checkpoints (log, ${checkpointColumns})
     SELECT $1, (SELECT COALESCE(max(number), 0) + 1 FROM ${schema}.checkpoints WHERE log = $1), $2, $3, $4, $5, $6
     WHERE NOT EXISTS (SELECT 1 FROM ${schema}.checkpoints WHERE log = $1 AND size = $2 AND note = $4)`,
    [log, size, Buffer.from(root), note, at, witnesses],
  );
};

const sizeOf = async (
  client: Pick<pg.Pool, 'query'>,
  log: LogName,
  lock: '' | 'FOR UPDATE' | 'FOR SHARE' = '',
): Promise<number> => {
  const { rows } = await client.query(`SELECT size FROM ${schema}.heads WHERE log = $1 ${lock}`, [log]);
  return Number(rows[0].size);
};
