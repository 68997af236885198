/** One audit file: opening it, transactions, and failures in our own words. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isProblem, Problem } from '@postern/schemas';
import { migrations } from './tables.ts';

/** How long a writer waits for another process's transaction, in ms. */
const busyTimeoutMs = 5_000;

/** Opens `file` (`:memory:` for none) and makes its tables. Throws `audit/store-unreachable`. */
export const openDatabase = (file: string): DatabaseSync => {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    // FULL: an append that was acknowledged survives the machine's fall, not only the process's. With recursive triggers an
    // INSERT OR REPLACE meets the rules for DELETE as well.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON;');
    transact(database, 'IMMEDIATE', () => {
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
      if (version > migrations.length)
        throw new Problem('audit/store-unreachable', {
          detail: `${file} was written by a newer version of Postern`,
          fix: 'Run that version.',
        });
      for (const statements of migrations.slice(version)) database.exec(statements);
      if (version < migrations.length) database.exec(`PRAGMA user_version = ${migrations.length}`);
    });
    return database;
  } catch (error) {
    throw toProblem(error, file);
  }
};

/** All of `work` or nothing of it. */
export const transact = <Result>(
  database: DatabaseSync,
  kind: 'DEFERRED' | 'IMMEDIATE',
  work: () => Result,
): Result => {
  database.exec(`BEGIN ${kind}`);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some failures, a full disk among them.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};

export const toProblem = (error: unknown, file: string): unknown => {
  if (isProblem(error) || error instanceof RangeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('audit/append-only'))
    return new Problem('audit/append-only', { detail: message, cause: error });
  return new Problem('audit/store-unreachable', { detail: `${file}: ${message}`, cause: error });
};
