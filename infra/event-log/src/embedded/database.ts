/** The one SQLite file behind an embedded log: opened by one process at a time, flushed to disk on every commit. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Problem } from '@postern/schemas';
import { toProblem } from './to-problem.ts';

export type DatabaseOptions = {
  /** The size the file may reach, in pages of 4096 bytes: how a test fills the disk. */
  readonly pagesMax?: number;
};

/**
 * AUTOINCREMENT keeps the highest number ever given beside the table (`sqlite_sequence`): rows that went missing behind our
 * back, at either end, are noticed and no number is given twice.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS facts (sequence INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL, carrier TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS decisions (position INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL, headers TEXT, at INTEGER NOT NULL DEFAULT (unixepoch())) STRICT;
  CREATE TABLE IF NOT EXISTS enforcement (position INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL, headers TEXT, at INTEGER NOT NULL DEFAULT (unixepoch())) STRICT;
  CREATE TABLE IF NOT EXISTS quarantine (position INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL, headers TEXT, at INTEGER NOT NULL DEFAULT (unixepoch())) STRICT;
`;

/** `file:DIR` (relative or absolute) or `memory:`. Throws `event-log/in-use`, `event-log/corrupt`, `event-log/disk-full`. */
export const openDatabase = (url: string, { pagesMax }: DatabaseOptions = {}): DatabaseSync => {
  const folder = url === 'memory:' ? undefined : folderOf(url);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(folder === undefined ? ':memory:' : fileIn(folder));
    // The lock belongs to the process and not to a file's existence: the kernel lets go of it whatever way the owner ends.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${pagesMax}`);
    // Whoever owns the folder is alone with it: proxies that told their state to the owner before are gone, and nobody has to wait for them.
    database.exec(`BEGIN EXCLUSIVE; ${tables} DELETE FROM enforcement; COMMIT`);
    if (folder !== undefined) chmodSync(fileIn(folder), 0o600);
    return database;
  } catch (error) {
    database?.close();
    throw toProblem(error, folder ?? 'memory', 'event-log/unreachable');
  }
};

const fileIn = (folder: string): string => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, 'event-log.sqlite');
};

export const folderOf = (url: string): string => {
  const path = url.slice('file:'.length);
  if (path === '')
    throw new Problem('runtime/bad-config', {
      detail: 'the event log "file:" names no folder',
      fix: 'Write file:DIR, for example file:./.postern/log.',
    });
  return resolve(path.startsWith('//') ? fileURLToPath(url) : path);
};
