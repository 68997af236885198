/** Tells the highest number a table has ever given out; 0 before the first. */
import type { DatabaseSync } from 'node:sqlite';

export const lastNumberOf = (database: DatabaseSync, table: string): (() => number) => {
  const given = database.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?');
  return () => {
    const seq = given.get(table)?.['seq'];
    return typeof seq === 'number' ? seq : 0;
  };
};
