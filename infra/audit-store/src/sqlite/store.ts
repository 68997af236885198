/** The audit store in one SQLite file: one process at home, the same promises as the big one. */
import type { DatabaseSync } from 'node:sqlite';
import { Problem } from '@postern/schemas';
import { findPage } from '../find.ts';
import { gatherLastUses, type UsedRow } from '../last-uses.ts';
import type { AuditStore, LogName, SealedCheckpoint } from '../port.ts';
import { checkAppend, checkComplete, checkRange, neverSealed, notAtHead, packEdge, unpackEdge } from '../promises.ts';
import type { SearchDialect } from '../query.ts';
import { checkpointColumns, columns, columnsOf, toKept } from '../rows.ts';
import { spanColumns, spansOf } from '../spans.ts';
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
      // An append holds the thread.
      rowsPerAppend: 500,
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
            const found = columnsOf(entries, size);
            entries.forEach(({ bytes, leaf }, at) => {
              entry.run(size + at, bytes, leaf);
            });
            for (const values of found) row.run(...columns.map((name) => values[name]));
            const span = database.prepare(widen(log));
            for (const values of spansOf(found)) span.run(...spanColumns.map((name) => values[name]));
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
            setNewest(database, log, { size, root, note, at });
            keep(database, log, { size, root, note, at }, 0);
          }),
        ),
      cosign: (log, checkpoint, witnesses) =>
        run(() =>
          transact(database, 'IMMEDIATE', () => {
            const sealed = database
              .prepare('SELECT root FROM checkpoints WHERE log = ? AND size = ? ORDER BY number DESC LIMIT 1')
              .get(log, checkpoint.size);
            if (!Buffer.from((sealed?.['root'] ?? []) as Uint8Array).equals(checkpoint.root))
              throw neverSealed(log, checkpoint.size);
            const newest = database.prepare('SELECT size FROM seals WHERE log = ?').get(log);
            if (newest?.['size'] === checkpoint.size) setNewest(database, log, checkpoint);
            keep(database, log, checkpoint, witnesses);
          }),
        ),
    },
    reader: {
      find: (log, query) =>
        run(() => sizeOf(database, log)).then((size) =>
          findPage(dialect, log, query, size, ({ text, values }) => run(() => database.prepare(text).all(...values))),
        ),
      lastUses: (query) => {
        const uses = {
          table: 'decisions_rows',
          also: `json_each(CASE WHEN body LIKE '%"also":%' THEN body ELSE '{}' END, '$.also')`,
          placeholder: () => '?',
        };
        return run(() => sizeOf(database, 'decisions')).then((size) =>
          gatherLastUses(uses, query, size, ({ text, values }) =>
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
      checkpoints: (log, after, limit) =>
        run(() =>
          database
            .prepare(
              `SELECT ${checkpointColumns} FROM checkpoints WHERE log = ? AND number > ? ORDER BY number LIMIT ?`,
            )
            .all(log, after, limit)
            .map(toKept),
        ),
      checkpointWith: (log, { size = null, witnesses = 0 }) =>
        run(() => {
          const found = database
            .prepare(
              `SELECT ${checkpointColumns} FROM checkpoints
               WHERE log = ?1 ${size === null ? 'AND ?2 IS NULL' : 'AND size = ?2'} ${witnesses > 0 ? 'AND witnesses > 0' : ''} AND witnesses >= ?3
               ORDER BY number DESC LIMIT 1`,
            )
            .get(log, size, witnesses);
          return found === undefined ? undefined : toKept(found);
        }),
    },
    ping: () => run(() => void database.prepare('SELECT 1').get()),
    async [Symbol.asyncDispose]() {
      if (database.isOpen) database.close();
    },
  };
};

const dialect: SearchDialect = { prefix: '', placeholder: () => '?', indexedByGroup: false };

/** The lowest and highest of what was there and what comes; MIN of two is NULL where one is. */
const widen = (log: LogName): string => {
  const wider = (name: string, which: 'MIN' | 'MAX') =>
    `${name} = ${which}(COALESCE(${name}, excluded.${name}), COALESCE(excluded.${name}, ${name}))`;
  return `INSERT INTO ${log}_spans (${spanColumns.join(', ')}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (grp) DO UPDATE SET
    ${wider('low_ms', 'MIN')}, ${wider('high_ms', 'MAX')}, ${wider('low_sequence', 'MIN')}, ${wider('high_sequence', 'MAX')}`;
};

const setNewest = (database: DatabaseSync, log: LogName, { size, root, note, at }: SealedCheckpoint): void => {
  database
    .prepare(
      `INSERT INTO seals (log, size, root, note, at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at`,
    )
    .run(log, size, root, note, at);
};

/** The same note is a proof of life, and kept once. */
const keep = (
  database: DatabaseSync,
  log: LogName,
  { size, root, note, at }: SealedCheckpoint,
  witnesses: number,
): void => {
  const last = database
    .prepare('SELECT number, note FROM checkpoints WHERE log = ? ORDER BY number DESC LIMIT 1')
    .get(log);
  const known = database
    .prepare('SELECT 1 FROM checkpoints WHERE log = ? AND size = ? AND note = ?')
    .get(log, size, note);
  if (known !== undefined) return;
  database
    .prepare(`INSERT INTO checkpoints (log, ${checkpointColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`)
    .run(log, Number(last?.['number'] ?? 0) + 1, size, root, note, at, witnesses);
};

const sizeOf = (database: DatabaseSync, log: LogName): number => {
  const size = database.prepare('SELECT size FROM heads WHERE log = ?').get(log)?.['size'];
  if (typeof size !== 'number') throw new Problem('audit/record-altered', { detail: `the head of ${log} is missing` });
  return size;
};
