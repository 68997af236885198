/** Profiles in PostgreSQL: any number of instances of the grants room share them. */
import type pg from 'pg';
import type { Profile, ProfileChange, ProfileKind, ProfileStore, Written } from '../port.ts';
import { guarded, openPool, schema, transact } from './pool.ts';

const table = `${schema}.profiles`;
const tables = `
  CREATE TABLE IF NOT EXISTS ${table} (
    kind text NOT NULL, id text COLLATE "C" NOT NULL, user_name text, external_id text, display_name text, document text NOT NULL,
    version integer NOT NULL, created_at bigint NOT NULL, modified_at bigint NOT NULL, written_at bigint NOT NULL,
    PRIMARY KEY (kind, id)
  );
  CREATE UNIQUE INDEX IF NOT EXISTS profiles_user_name ON ${table} (kind, user_name);
  CREATE INDEX IF NOT EXISTS profiles_external_id ON ${table} (kind, external_id);
  CREATE INDEX IF NOT EXISTS profiles_display_name ON ${table} (kind, display_name);
`;
const columns = { id: 'id', userName: 'user_name', externalId: 'external_id', displayName: 'display_name' } as const;

/** Rejects with `grants/profiles-unreachable`. */
export const openPostgresProfiles = async (url: string): Promise<ProfileStore> => {
  const pool = await openPool(url, tables, { name: 'postern-profiles', queryTimeoutMs: 60_000, lockTimeoutMs: 10_000 });
  const rows = async (text: string, values: unknown[]): Promise<Profile[]> =>
    (await guarded(() => pool.query(text, values))).rows.map(toProfile);

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
