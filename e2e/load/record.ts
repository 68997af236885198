/**
 * What it costs to record decisions, and to find them again: through the code and the append that ingest uses.
 *
 *   npm run bench -- --only record [--decisions N] [--stores SQLite|PostgreSQL]
 *
 * Each in SQLite and in PostgreSQL (a container): decisions a second, over all and in each tenth; bytes for a million; the times of
 * each query; and what the gate's journal takes for one decision. It prints numbers and asserts nothing.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEntry, AuditStore } from '@postern/audit-store';
import { openAuditStore } from '@postern/audit-store/open';
import { startPostgres } from '@postern/containers';
import { openJournal } from '@postern/proxy/app';
import { decisionRows } from '@postern/schemas/record';
import { growEdge, leafHash } from '@postern/schemas/tlog';
import { batchOf, decision, perBatch } from './decisions.ts';
import { askRecord } from './record-queries.ts';

const count = Number(process.argv[2] ?? 200_000);
const stores = process.argv[3] ?? '';
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const told = (name: string, text: string): void =>
  void process.stdout.write(`${name.padEnd(60)}${text.padStart(16)}\n`);

const take = async (name: string, store: AuditStore): Promise<number> => {
  const batches = Math.ceil(count / perBatch);
  const batchesPerAppend = Math.ceil(store.writer.rowsPerAppend / perBatch);
  const tenth = Math.ceil(batches / batchesPerAppend / 10) * batchesPerAppend;
  let { size, edge } = await store.writer.state('decisions');
  let [ms, tenthMs] = [0, 0];
  for (let number = 0; number < batches; number += batchesPerAppend) {
    // The making of the batches is counted.
    const began = performance.now();
    const arriving = Array.from({ length: Math.min(batchesPerAppend, batches - number) }, (_, at) =>
      batchOf(number + at),
    );
    const entries = arriving.map((bytes): AuditEntry => {
      const read = decisionRows(bytes);
      return { bytes, leaf: leafHash(sha256, bytes), rows: read.outcome === 'read' ? read.rows : [] };
    });
    edge = growEdge(
      sha256,
      edge,
      size,
      entries.map(({ leaf }) => leaf),
    );
    await store.writer.append({ log: 'decisions', expected: size, entries, edge, cursors: { '0': number } });
    size += entries.length;
    ms += performance.now() - began;
    if ((number + batchesPerAppend) % tenth !== 0) continue;
    told(
      `  behind ${(size * perBatch).toLocaleString('en')}`,
      Math.round((tenth * perBatch * 1_000) / (ms - tenthMs)).toLocaleString('en'),
    );
    tenthMs = ms;
  }
  const all = batches * perBatch;
  told(`${name}: decisions taken in a second`, Math.round((all / ms) * 1_000).toLocaleString('en'));
  return all;
};

const ask = (name: string, store: AuditStore, all: number): Promise<void> => {
  process.stdout.write(
    `${`${name}: found among ${all.toLocaleString('en')}, ms`.padEnd(60)}${'p50'.padStart(9)}${'p95'.padStart(9)}${'max'.padStart(9)}\n`,
  );
  return askRecord(store.reader, all, (what, ...times) => {
    const figures = times.slice(0, 3).map((each) => each.toFixed(1).padStart(9));
    process.stdout.write(`  by ${what.padEnd(55)}${figures.join('')}\n`);
  });
};
const bytesTold = (name: string, bytes: number, all: number): void =>
  told(`${name}: bytes for a million`, Math.round((bytes / all) * 1_000_000).toLocaleString('en'));

/** Of every partition together: tables with what lies out of line, and each index by itself. */
const tableBytes = `
  SELECT regexp_replace(relname, '_p[0-9]+', ''), sum(CASE relkind WHEN 'i' THEN pg_relation_size(oid)
    ELSE pg_table_size(oid) END)::bigint
  FROM pg_class WHERE relnamespace = 'postern_audit'::regnamespace AND relkind IN ('r', 'i') GROUP BY 1 ORDER BY 2 DESC`;

const home = mkdtempSync(join(tmpdir(), 'postern-record-'));
const sizeIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
try {
  process.stdout.write(`\nTHE RECORD, ${count.toLocaleString('en')} decisions\n`);
  {
    using journal = openJournal(join(home, 'journal'));
    journal.begin('bench');
    const lines = Array.from({ length: 20_000 }, (_, n) => decision(n));
    const began = performance.now();
    for (const line of lines) journal.line(line);
    told('journal: one decision', `${(((performance.now() - began) / lines.length) * 1_000).toFixed(1)} µs`);
    told('a decision as it is written', `${Math.round(Buffer.byteLength(lines.join('')) / lines.length)} bytes`);
    journal.close(1);
    journal.acknowledged(1);
  }
  if ('SQLite'.includes(stores)) {
    await using store = await openAuditStore(`file:${home}/sqlite`);
    const all = await take('SQLite', store);
    bytesTold('SQLite', sizeIn(join(home, 'sqlite')), all);
    await ask('SQLite', store, all);
  }
  if ('PostgreSQL'.includes(stores)) {
    await using server = await startPostgres();
    await using store = await openAuditStore(server.url);
    const all = await take('PostgreSQL', store);
    const lines = await server.query(tableBytes);
    const tables = lines
      .trim()
      .split('\n')
      .map((line) => ({ name: line.split('|')[0] ?? '', bytes: Number(line.split('|')[1]) }));
    bytesTold(
      'PostgreSQL',
      tables.reduce((sum, { bytes }) => sum + bytes, 0),
      all,
    );
    for (const { name, bytes } of tables.slice(0, 14))
      told(`  ${name}`, Math.round((bytes / all) * 1_000_000).toLocaleString('en'));
    await ask('PostgreSQL', store, all);
  }
} finally {
  rmSync(home, { recursive: true });
}
