/** Connections to one server, its tables brought up to date, and failures in our own words. */
import { isProblem, Problem } from '@postern/schemas';
import pg from 'pg';
import { migrations, rightsOf, schema } from './tables.ts';

/** Any number that no other program on the database uses: two openings never migrate at once. */
const migrationLock = 7_305_441_908;

export const openPool = (url: string): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'postern-audit',
    max: 8,
    // What is searched here is found by index: to compile such a statement takes longer than to run it.
    options: '-c jit=off',
    connectionTimeoutMillis: 5_000,
    // Nobody waits for ever on a server that is stuck, and an ingester that died does not hold the head for long.
    query_timeout: 60_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 10_000,
  });
  // An idle connection that breaks is replaced by the pool; the next query says whether the server is there.
  pool.on('error', () => {});
  return pool;
};

/** Runs the migrations that the database has not seen. Rejects with `audit/store-unreachable` where it is newer than this. */
export const migrate = (pool: pg.Pool): Promise<void> =>
  transact(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    const there = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.migrations`]);
    // Looked at before it is made: a role that may only use the schema is not allowed even to try.
    if (there.rows[0]?.there !== true)
      await client.query(
        `CREATE SCHEMA IF NOT EXISTS ${schema}; CREATE TABLE ${schema}.migrations (version integer PRIMARY KEY)`,
      );
    const seen = await client.query(`SELECT COALESCE(max(version), 0) AS version FROM ${schema}.migrations`);
    const version = Number(seen.rows[0]?.version);
    if (version > migrations.length)
      throw new Problem('audit/store-unreachable', {
        detail: 'the audit database was written by a newer version of Postern',
        fix: 'Run that version.',
      });
    for (const [index, statements] of migrations.entries()) {
      if (index < version) continue;
      await client.query(statements);
      await client.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [index + 1]);
    }
  });

/**
 * Makes the tables as their owner, and lets the role of `url` read and append. It may move the head, the cursors and the newest
 * checkpoint on, and nothing else; and since it owns nothing, it cannot give itself more or take the triggers away.
 */
export const prepareAsOwner = async (ownerUrl: string, url: string): Promise<void> => {
  const pool = openPool(ownerUrl);
  try {
    await migrate(pool);
    const role = pg.escapeIdentifier(decodeURIComponent(new URL(url).username));
    await transact(pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
      await client.query(rightsOf(role));
    });
  } finally {
    await pool.end();
  }
};

/** All of `work` or nothing of it, on one connection. */
export const transact = async <Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> => {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    broken = false;
    return result;
  } catch (error) {
    await client.query('ROLLBACK').then(
      () => {
        broken = false;
      },
      () => {},
    );
    throw error;
  } finally {
    // A connection that could not even roll back is thrown away, and the server rolls back for it.
    client.release(broken);
  }
};

export const toProblem = (error: unknown): unknown => {
  if (isProblem(error) || error instanceof RangeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('audit/append-only'))
    return new Problem('audit/append-only', { detail: message, cause: error });
  return new Problem('audit/store-unreachable', { detail: `PostgreSQL: ${message || 'no answer'}`, cause: error });
};
