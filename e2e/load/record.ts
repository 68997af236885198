/**
 * What it costs to record decisions, and to find them again: through the code and the append that ingest uses.
 *
 *   node e2e/load/record.ts [decisions=200000]
 *
 * Each in SQLite and in PostgreSQL (a container): decisions a second, in SQLite bytes for a million, and the slower of two times of each query;
 * and what the gate's journal takes for one decision. It prints numbers and asserts nothing.
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

const [count = 200_000] = process.argv.slice(2).map(Number);
const decisionsPerBatch = 150;
const batchesPerAppend = 4;
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const told = (name: string, text: string): void =>
  void process.stdout.write(`${name.padEnd(60)}${text.padStart(16)}\n`);

const decision = (n: number): string =>
  JSON.stringify({
    id: `d${n.toString(16).padStart(20, '0')}`,
    at: new Date(Date.UTC(2030, 0, 1) + n * 10).toISOString(),
    outcome: n % 50 === 0 ? 'deny' : 'allow',
    ...(n % 50 === 0 && { reason: 'no-grant', refusedWith: 403 }),
    principal: `user:u${(n * 7_919) % 10_000}`,
    service: 'payroll',
    endpoint: `payroll/op${(n * 31) % 200}`,
    method: 'GET',
    path: `/employees/${n % 5_000}`,
    ip: '10.0.0.7',
    sequence: 1_000 + Math.floor(n / 1_000),
    cached: true,
  });
const batchOf = (number: number): Uint8Array => {
  const lines = Array.from({ length: decisionsPerBatch }, (_, at) => decision(number * decisionsPerBatch + at));
  return Buffer.from(`{"v":1,"instance":"bench","batch":${number + 1},"decisions":[${lines.join(',')}]}`);
};

const measured = async (name: string, store: AuditStore, bytesOf?: () => number): Promise<void> => {
  const batches = Math.ceil(count / decisionsPerBatch);
  let { size, edge } = await store.writer.state('decisions');
  let ms = 0;
  for (let number = 0; number < batches; number += batchesPerAppend) {
    const arriving = Array.from({ length: Math.min(batchesPerAppend, batches - number) }, (_, at) =>
      batchOf(number + at),
    );
    const began = performance.now();
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
  }
  const all = batches * decisionsPerBatch;
  told(`${name}: decisions taken in a second`, Math.round((all / ms) * 1_000).toLocaleString('en'));
  if (bytesOf !== undefined)
    told(`${name}: bytes for a million`, Math.round((bytesOf() / all) * 1_000_000).toLocaleString('en'));
  const middle = new Date(Date.UTC(2030, 0, 1) + all * 5).toISOString();
  const queries = {
    subject: { subject: 'user:u77' },
    endpoint: { endpoint: 'payroll/op3' },
    outcome: { outcome: 'deny' },
    time: { since: middle, order: 'oldest' as const },
    'subject, endpoint and outcome': { subject: 'user:u77', endpoint: 'payroll/op3', outcome: 'deny' },
  };
  for (const [what, query] of Object.entries(queries)) {
    let slowest = 0;
    for (let turn = 0; turn < 2; turn++) {
      const began = performance.now();
      await store.reader.find('decisions', { limit: 100, ...query });
      slowest = Math.max(slowest, performance.now() - began);
    }
    told(`${name}: found by ${what} among ${all.toLocaleString('en')}`, `${slowest.toFixed(1)} ms`);
  }
};

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
    journal.close(1);
    journal.acknowledged(1);
  }
  {
    await using store = await openAuditStore(`file:${home}/sqlite`);
    await measured('SQLite', store, () => sizeIn(join(home, 'sqlite')));
  }
  {
    await using server = await startPostgres();
    await using store = await openAuditStore(server.url);
    await measured('PostgreSQL', store);
  }
} finally {
  rmSync(home, { recursive: true });
}
