/** Profiles in one SQLite file. */
import type { Profile, ProfileChange, ProfileKind, ProfileStore, Written } from '../port.ts';
import { openDatabase } from './database.ts';
import { toProblem } from './to-problem.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS profiles (
    kind TEXT NOT NULL, id TEXT NOT NULL, user_name TEXT, external_id TEXT, display_name TEXT, document TEXT NOT NULL,
    version INTEGER NOT NULL, created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL, written_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS profiles_user_name ON profiles (kind, user_name) WHERE user_name IS NOT NULL;
  CREATE INDEX IF NOT EXISTS profiles_external_id ON profiles (kind, external_id) WHERE external_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS profiles_display_name ON profiles (kind, display_name) WHERE display_name IS NOT NULL;
`;
const columns = { id: 'id', userName: 'user_name', externalId: 'external_id', displayName: 'display_name' } as const;

/** `:memory:` for none. Throws `grants/profiles-unreachable`, `grants/disk-full`. */
export const openSqliteProfiles = (file: string): ProfileStore => {
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw toProblem(error, file);
    }
  };
  const database = openDatabase(file, tables);
  const insert = database.prepare(
    'INSERT INTO profiles (user_name, external_id, display_name, document, version, created_at, modified_at, written_at, kind, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const update = database.prepare(
    'UPDATE profiles SET user_name = ?, external_id = ?, display_name = ?, document = ?, version = ?, created_at = ?, modified_at = ?, written_at = ? WHERE kind = ? AND id = ? AND version = ?',
  );
  const remove = database.prepare('DELETE FROM profiles WHERE kind = ? AND id = ? AND version = ?');
  const exists = database.prepare('SELECT 1 FROM profiles WHERE kind = ? AND id = ?');
  const behind = database.prepare('SELECT * FROM profiles WHERE kind = ? AND id > ? ORDER BY id LIMIT ?');
  const skipping = database.prepare('SELECT * FROM profiles WHERE kind = ? ORDER BY id LIMIT ? OFFSET ?');
  const counting = database.prepare('SELECT count(*) AS n FROM profiles WHERE kind = ?');

  const one = (change: ProfileChange): Written => {
    if (change.change === 'delete')
      return remove.run(change.kind, change.id, change.expected).changes === 1 ? 'written' : 'moved';
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
    try {
      if (change.change === 'insert') insert.run(...values);
      else if (update.run(...values, change.expected).changes !== 1) return 'moved';
      return 'written';
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('UNIQUE constraint failed')) throw error;
      return exists.get(profile.kind, profile.id) !== undefined && change.change === 'insert' ? 'moved' : 'taken';
    }
  };

  return {
    find: async (kind, key, values) =>
      guarded(() =>
        database
          .prepare(
            `SELECT * FROM profiles WHERE kind = ? AND ${columns[key]} IN (SELECT value FROM json_each(?)) AND ${columns[key]} IS NOT NULL ORDER BY id`,
          )
          .all(kind, JSON.stringify(values))
          .map(toProfile),
      ),
    page: async (kind, from, limit) =>
      guarded(() =>
        ('after' in from ? behind.all(kind, from.after, limit) : skipping.all(kind, limit, from.skip)).map(toProfile),
      ),
    count: async (kind) => guarded(() => Number(counting.get(kind)?.['n'])),
    write: async (changes) =>
      guarded(() => {
        if (changes.length === 0) return [];
        database.exec('BEGIN IMMEDIATE');
        try {
          const written = changes.map(one);
          database.exec('COMMIT');
          // The journal keeps what was before; where something was to be erased, it is emptied.
          if (changes.some(({ change }) => change === 'delete')) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
          return written;
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK');
          throw error;
        }
      }),
    [Symbol.asyncDispose]: async () => {
      if (database.isOpen) database.close();
    },
  };
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
