/** The SQLite file of the profiles, as both stores of what may be erased open it. */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toProblem } from './to-problem.ts';

/** With `tables` made. `:memory:` for none. Throws `grants/profiles-unreachable`, `grants/disk-full`. */
export const openDatabase = (file: string, tables: string): DatabaseSync => {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const opened = new DatabaseSync(file, { timeout: 5_000 });
    // What is erased is overwritten, in the file and, once it is truncated, in the journal.
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;');
    opened.exec(tables);
    if (file !== ':memory:') chmodSync(file, 0o600);
    return opened;
  } catch (error) {
    throw toProblem(error, file);
  }
};
