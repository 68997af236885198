/** Profiles in PostgreSQL: any number of instances of the grants room share them. */
import { isProblem, Problem } from '@postern/schemas';
import pg from 'pg';
import type { Profile, ProfileChange, ProfileKind, ProfileStore, Written } from '../port.ts';

/** Any number that no other program on the database uses: two openings never make the tables at once. */
const tablesLock = 7_305_441_909;
const tables = `
  CREATE SCHEMA IF NOT EXISTS postern_profiles;
  CREATE TABLE IF NOT EXISTS postern_profiles.profiles (
    kind text NOT NULL, id text COLLATE "C" NOT NULL, user_name text, external_id text, display_name text, document text NOT NULL,
    version integer NOT NULL, created_at bigint NOT NULL, modified_at bigint NOT NULL, written_at bigint NOT NULL,
    PRIMARY KEY (kind, id)
  );
  CREATE UNIQUE INDEX IF NOT EXISTS profiles_user_name ON postern_profiles.profiles (kind, user_name);
  CREATE INDEX IF NOT EXISTS profiles_external_id ON postern_profiles.profiles (kind, external_id);
  CREATE INDEX IF NOT EXISTS profiles_display_name ON postern_profiles.profiles (kind, display_name);
`;
const table = 'postern_profiles.profiles';
const columns = { id: 'id', userName: 'user_name', externalId: 'external_id', displayName: 'display_name' } as const;

/** Rejects with `grants/profiles-unreachable`. */
export const openPostgresProfiles = async (url: string): Promise<ProfileStore> => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'postern-profiles',
    max: 4,
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 10_000,
  });
  // An idle connection that breaks is replaced by the pool; the next query says whether the server is there.
  pool.on('error', () => {});
  const rows = async (text: string, values: unknown[]): Promise<Profile[]> =>
    (await guarded(() => pool.query(text, values))).rows.map(toProfile);

  await guarded(() =>
    transact(pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [tablesLock]);
      await client.query(tables);
    }),
  ).catch(async (error) => {
    await pool.end();
    throw error;
  });

  return {
    find: (kind, key, values) =>
      rows(`SELECT * FROM ${table} WHERE kind = $1 AND ${columns[key]} = ANY($2) ORDER BY id`, [kind, values]),
    page: (kind, from, limit) =>
      'after' in from
        ? rows(`SELECT * FROM ${table} WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3`, [kind, from.after, limit])
        : rows(`SELECT * FROM ${table} WHERE kind = $1 ORDER BY id LIMIT $2 OFFSET $3`, [kind, limit, from.skip]),
    count: async (kind) =>
      Number(
        (await guarded(() => pool.query(`SELECT count(*) AS n FROM ${table} WHERE kind = $1`, [kind]))).rows[0]?.n,
      ),
    write: (changes) =>
      guarded(() =>
        transact(pool, async (client) => {
          const written: Written[] = [];
          for (const change of changes) written.push(await one(client, change));
          return written;
        }),
      ),
    [Symbol.asyncDispose]: () => pool.end(),
  };
};

const one = async (client: pg.PoolClient, change: ProfileChange): Promise<Written> => {
  if (change.change === 'delete') {
    const { kind, id, expected } = change;
    const { rowCount } = await client.query(`DELETE FROM ${table} WHERE kind = $1 AND id = $2 AND version = $3`, [
      kind,
      id,
      expected,
    ]);
    return rowCount === 1 ? 'written' : 'moved';
  }
  const { profile } = change;
  const values = [
    profile.userName ?? null,
    profile.externalId ?? null,
    profile.displayName ?? null,
    profile.document,
    profile.version,
    profile.createdAtMs,
    profile.modifiedAtMs,
    profile.writtenAt,
    profile.kind,
    profile.id,
  ];
  if (change.change === 'insert') {
    const { rowCount } = await client.query(
      `INSERT INTO ${table} (user_name, external_id, display_name, document, version, created_at, modified_at, written_at, kind, id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
      values,
    );
    if (rowCount === 1) return 'written';
    const there = await client.query(`SELECT 1 FROM ${table} WHERE kind = $1 AND id = $2`, [profile.kind, profile.id]);
    return there.rowCount === 0 ? 'taken' : 'moved';
  }
  // A name that another one has fails the statement and, without this, the changes beside it.
  await client.query('SAVEPOINT one');
  try {
    const { rowCount } = await client.query(
      `UPDATE ${table} SET user_name = $1, external_id = $2, display_name = $3, document = $4, version = $5, created_at = $6,
       modified_at = $7, written_at = $8 WHERE kind = $9 AND id = $10 AND version = $11`,
      [...values, change.expected],
    );
    return rowCount === 1 ? 'written' : 'moved';
  } catch (error) {
    if ((error as { code?: string }).code !== '23505') throw error;
    await client.query('ROLLBACK TO SAVEPOINT one');
    return 'taken';
  }
};

const transact = async <Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> => {
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
    client.release(broken);
  }
};

const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (isProblem(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new Problem('grants/profiles-unreachable', { detail: `PostgreSQL: ${message || 'no answer'}`, cause: error });
  }
};

type Row = Readonly<Record<string, unknown>>;

const toProfile = (row: Row): Profile => ({
  kind: row['kind'] as ProfileKind,
  id: String(row['id']),
  ...(row['user_name'] !== null && { userName: String(row['user_name']) }),
  ...(row['external_id'] !== null && { externalId: String(row['external_id']) }),
  ...(row['display_name'] !== null && { displayName: String(row['display_name']) }),
  document: String(row['document']),
  version: Number(row['version']),
  createdAtMs: Number(row['created_at']),
  modifiedAtMs: Number(row['modified_at']),
  writtenAt: Number(row['written_at']),
});
