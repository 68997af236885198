/** The highest number a table has ever given out; 0 before the first. */
import type { DatabaseSync } from 'node:sqlite';

export const lastNumber = (database: DatabaseSync, table: string): number => {
  const row = database.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(table);
  return typeof row?.['seq'] === 'number' ? row['seq'] : 0;
};
