/** Connections to PostgreSQL, as both stores of what may be erased use them. */
import { isProblem, Problem } from '@postern/schemas';
import pg from 'pg';

export const schema = 'postern_profiles';
/** Any number that no other program on the database uses: two openings never make tables at once. */
const tablesLock = 7_305_441_909;

export type PoolOptions = { readonly name: string; readonly queryTimeoutMs: number; readonly lockTimeoutMs: number };

/** With `tables` made, where they are not there yet. Rejects with `grants/profiles-unreachable`. */
export const openPool = async (
  url: string,
  tables: string,
  { name, queryTimeoutMs, lockTimeoutMs }: PoolOptions,
): Promise<pg.Pool> => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: 4,
    connectionTimeoutMillis: 5_000,
    query_timeout: queryTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: 10_000,
  });
  // An idle connection that breaks is replaced by the pool; the next query says whether the server is there.
  pool.on('error', () => {});
  await guarded(() =>
    transact(pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [tablesLock]);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema};${tables}`);
    }),
  ).catch(async (error) => {
    await pool.end();
    throw error;
  });
  return pool;
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

export const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (isProblem(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new Problem('grants/profiles-unreachable', { detail: `PostgreSQL: ${message || 'no answer'}`, cause: error });
  }
};
