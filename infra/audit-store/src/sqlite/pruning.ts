/** Pruning in the SQLite file: entries and rows of a prefix of the decisions go, their leaf hashes stay. */
import type { DatabaseSync } from 'node:sqlite';
import { transact } from './database.ts';

/** What was removed is overwritten in the file; the journal is emptied where no reader keeps it from being. */
export const pruneEntries = (database: DatabaseSync, log: string, upTo: number, fact: number): void => {
  database.exec('PRAGMA secure_delete = ON');
  transact(database, 'IMMEDIATE', () => {
    const reached = prunedBefore(database, log);
    if (upTo <= reached && log === 'decisions') return;
    database
      .prepare('INSERT INTO decisions_kept SELECT idx, leaf FROM decisions_entries WHERE idx >= ? AND idx < ?')
      .run(reached, upTo);
    const { changes } = database.prepare('UPDATE pruned SET before = ?, fact = ? WHERE log = ?').run(upTo, fact, log);
    if (changes === 0) throw new Error(`audit/append-only: ${log} is never pruned`);
    database.prepare('DELETE FROM decisions_rows WHERE idx < ?').run(upTo);
    database.prepare('DELETE FROM decisions_entries WHERE idx < ?').run(upTo);
  });
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
};

export const prunedBefore = (database: DatabaseSync, log: string): number =>
  Number(database.prepare('SELECT before FROM pruned WHERE log = ?').get(log)?.['before'] ?? 0);

export const entriesSql = (log: string, column: 'bytes' | 'leaf'): string => {
  const there = `SELECT idx, ${column} AS value FROM ${log}_entries WHERE idx >= ?1 AND idx < ?2`;
  return column === 'leaf' && log === 'decisions'
    ? `${there} UNION ALL SELECT idx, leaf AS value FROM decisions_kept WHERE idx >= ?1 AND idx < ?2 ORDER BY idx`
    : `${there} ORDER BY idx`;
};
