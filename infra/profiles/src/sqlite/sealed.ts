/** Sealed texts in the SQLite file of the profiles. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SealedStore } from '../sealed/port.ts';
import { toText } from '../sealed/row.ts';
import { openDatabase } from './database.ts';
import { toProblem } from './to-problem.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS sealed (
    commitment TEXT PRIMARY KEY, salt BLOB NOT NULL, text TEXT NOT NULL, subject TEXT NOT NULL, author TEXT NOT NULL,
    member TEXT NOT NULL, sequence INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sealed_subject ON sealed (subject, sequence);
  CREATE INDEX IF NOT EXISTS sealed_author ON sealed (author, sequence);
`;
const scrubTries = 100;
const scrubPauseMs = 50;

/** `:memory:` for none. Throws `grants/profiles-unreachable`, `grants/disk-full`. */
export const openSqliteSealed = (file: string): SealedStore => {
  const guarded = async <Result>(work: () => Result): Promise<Awaited<Result>> => {
    try {
      return await work();
    } catch (error) {
      throw toProblem(error, file);
    }
  };
  const database = openDatabase(file, tables);
  const inOne = (work: () => void): void => {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
  const insert = database.prepare('INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)');
  const found = database.prepare('SELECT * FROM sealed WHERE commitment IN (SELECT value FROM json_each(?))');
  const ofSubject = database.prepare('SELECT * FROM sealed WHERE subject = ? ORDER BY sequence');
  const byAuthor = database.prepare('SELECT * FROM sealed WHERE author = ? ORDER BY sequence');
  const forgetting = database.prepare('DELETE FROM sealed WHERE commitment IN (SELECT value FROM json_each(?))');
  const erasing = database.prepare('DELETE FROM sealed WHERE subject = ? AND sequence < ?');

  /** The journal keeps what was before, until it is empty; a reader that is under way keeps it from being emptied. */
  const scrub = async (): Promise<void> => {
    for (let tries = 0; tries < scrubTries; tries++) {
      const busy = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'];
      if (busy === 0) return;
      await pause(scrubPauseMs);
    }
    throw new Error('readers kept the journal from being emptied; it is tried again at the next erasure and start');
  };

  return {
    keep: (texts) =>
      guarded(() =>
        inOne(() => {
          for (const each of texts)
            insert.run(each.commitment, each.salt, each.text, each.subject, each.author, each.member, each.sequence);
        }),
      ),
    forget: (commitments) => guarded(() => void forgetting.run(JSON.stringify(commitments))),
    find: (commitments) => guarded(() => found.all(JSON.stringify(commitments)).map(toText)),
    of: (who) => guarded(() => ('subject' in who ? ofSubject.all(who.subject) : byAuthor.all(who.author)).map(toText)),
    erase: (subject, before) =>
      guarded(async () => {
        const { changes } = erasing.run(subject, before);
        await scrub();
        return Number(changes);
      }),
    scrub: () => guarded(scrub),
    [Symbol.asyncDispose]: async () => {
      if (database.isOpen) database.close();
    },
  };
};
