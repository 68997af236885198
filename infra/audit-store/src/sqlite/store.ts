/** The audit store in one SQLite file: one process at home, the same promises as the big one. */
import type { DatabaseSync } from 'node:sqlite';
import { Problem } from '@postern/schemas';
import { gatherLastUses, type UsedRow } from '../last-uses.ts';
import type { AuditStore, LogName } from '../port.ts';
import { checkAppend, checkComplete, checkRange, notAtHead, packEdge, unpackEdge } from '../promises.ts';
import { toPage, toStatement } from '../query.ts';
import { columns, fromColumns, toColumns } from '../rows.ts';
import { openDatabase, toProblem, transact } from './database.ts';

/** `file` is a path, or `:memory:`. Throws `audit/store-unreachable`. */
export const openSqliteAuditStore = (file: string): AuditStore => {
  const database = openDatabase(file);
  /** node:sqlite is synchronous; the port is not, and names its failures. */
  const run = async <Result>(work: () => Result): Promise<Result> => {
    try {
      return work();
    } catch (error) {
      throw toProblem(error, file);
    }
  };
  const slice = (log: LogName, column: 'bytes' | 'leaf', from: number, to: number): Uint8Array[] => {
    checkRange(log, from, to, sizeOf(database, log));
    const found = database
      .prepare(`SELECT idx, ${column} AS value FROM ${log}_entries WHERE idx >= ? AND idx < ? ORDER BY idx`)
      .all(from, to);
    checkComplete(
      log,
      found.map(({ idx }) => Number(idx)),
      from,
      to,
    );
    return found.map(({ value }) => value as Uint8Array);
  };
  return {
    writer: {
      state: (log) =>
        run(() =>
          transact(database, 'DEFERRED', () => {
            const head = database.prepare('SELECT size, edge FROM heads WHERE log = ?').get(log);
            const parts = database.prepare('SELECT part, next FROM cursors WHERE log = ?').all(log);
            return {
              size: Number(head?.['size']),
              edge: unpackEdge(head?.['edge'] as Uint8Array),
              cursors: Object.fromEntries(parts.map(({ part, next }) => [String(part), Number(next)])),
            };
          }),
        ),
      append: (append) =>
        run(() => {
          checkAppend(append);
          const { log, expected, entries, edge, cursors } = append;
          transact(database, 'IMMEDIATE', () => {
            const size = sizeOf(database, log);
            if (size !== expected) throw notAtHead(log, expected, size);
            const entry = database.prepare(`INSERT INTO ${log}_entries (idx, bytes, leaf) VALUES (?, ?, ?)`);
            const row = database.prepare(
              `INSERT INTO ${log}_rows (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
            );
            entries.forEach(({ bytes, leaf, rows }, at) => {
              entry.run(size + at, bytes, leaf);
              rows.forEach((found, order) => {
                const values = toColumns(found, size + at, order);
                row.run(...columns.map((name) => values[name]));
              });
            });
            const cursor = database.prepare('INSERT OR REPLACE INTO cursors (log, part, next) VALUES (?, ?, ?)');
            for (const [part, next] of Object.entries(cursors)) cursor.run(log, part, next);
            database
              .prepare('UPDATE heads SET size = ?, edge = ? WHERE log = ?')
              .run(size + entries.length, packEdge(edge), log);
          });
        }),
      seal: (log, { size, root, note, at }) =>
        run(() =>
          transact(database, 'IMMEDIATE', () => {
            const sealed = database.prepare('SELECT size FROM seals WHERE log = ?').get(log);
            const behind = Number(sealed?.['size'] ?? 0);
            const head = sizeOf(database, log);
            if (size < behind || size > head) throw notAtHead(log, size, size < behind ? behind : head);
            database
              .prepare(
                `INSERT INTO seals (log, size, root, note, at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at`,
              )
              .run(log, size, root, note, at);
          }),
        ),
    },
    reader: {
      find: (log, query) =>
        run(() => {
          const size = sizeOf(database, log);
          const { text, values } = toStatement(`${log}_rows`, query, size, () => '?');
          const { page, ...rest } = toPage(database.prepare(text).all(...values), query.limit);
          return { rows: page.map((found) => fromColumns(found, log)), size, ...rest };
        }),
      lastUses: (query) => {
        const dialect = {
          table: 'decisions_rows',
          also: `json_each(CASE WHEN body LIKE '%"also":%' THEN body ELSE '{}' END, '$.also')`,
          placeholder: () => '?',
        };
        return run(() => sizeOf(database, 'decisions')).then((size) =>
          gatherLastUses(dialect, query, size, ({ text, values }) =>
            run(() => database.prepare(text).all(...values) as unknown as UsedRow[]),
          ),
        );
      },
      entries: (log, from, to) => run(() => slice(log, 'bytes', from, to)),
      leaves: (log, from, to) => run(() => slice(log, 'leaf', from, to)),
      checkpoint: (log) =>
        run(() => {
          const sealed = database.prepare('SELECT size, root, note, at FROM seals WHERE log = ?').get(log);
          return sealed === undefined
            ? undefined
            : {
                size: Number(sealed['size']),
                root: sealed['root'] as Uint8Array,
                note: String(sealed['note']),
                at: String(sealed['at']),
              };
        }),
    },
    ping: () => run(() => void database.prepare('SELECT 1').get()),
    async [Symbol.asyncDispose]() {
      if (database.isOpen) database.close();
    },
  };
};

const sizeOf = (database: DatabaseSync, log: LogName): number => {
  const size = database.prepare('SELECT size FROM heads WHERE log = ?').get(log)?.['size'];
  if (typeof size !== 'number') throw new Problem('audit/record-altered', { detail: `the head of ${log} is missing` });
  return size;
};
