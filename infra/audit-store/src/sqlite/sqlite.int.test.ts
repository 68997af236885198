import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { auditStoreConformance, type StorePlace } from '../conformance.ts';
import { openAuditStore } from '../open.ts';

const folder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-audit-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

const inFile = async (): Promise<StorePlace> => {
  const { path, [Symbol.asyncDispose]: dispose } = await folder();
  return {
    open: () => openAuditStore(`file:${path}`),
    execute: async (statement) => {
      const database = new DatabaseSync(join(path, 'audit.sqlite'));
      try {
        database.exec(statement);
      } finally {
        database.close();
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
};
const inMemory = async (): Promise<StorePlace> => ({
  open: () => openAuditStore('memory:'),
  execute: () => Promise.reject(new Error('nobody else can open a record in memory')),
  async [Symbol.asyncDispose]() {},
});

auditStoreConformance('sqlite', inFile);
const alone = 'each opening of memory: is a record of its own';
auditStoreConformance('memory', inMemory, [
  { test: 'of two racing ingesters one is refused, and the log has no gap and no double', because: alone },
  { test: 'of two appends at the same head one is refused', because: alone },
  { test: 'what was acknowledged is there after the store is opened again', because: alone },
  { test: 'the database itself refuses to change or remove what is recorded', because: alone },
  {
    test: 'the database itself removes nothing of the decisions by hand but what a fact says is pruned',
    because: alone,
  },
]);

test('a process killed in the middle of its appends leaves whole appends, each that it acknowledged among them', async () => {
  await using here = await folder();
  const script = `
    import { growEdge, leafHash } from '@postern/schemas/tlog';
    import { createHash } from 'node:crypto';
    import { openAuditStore } from '${new URL('../open.ts', import.meta.url)}';
    const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
    const store = await openAuditStore('file:${here.path}');
    for (;;) {
      const { size, edge } = await store.writer.state('facts');
      const entries = [0, 1, 2].map((at) => {
        const bytes = Buffer.from('entry ' + (size + at));
        return { bytes, leaf: leafHash(sha256, bytes), rows: [{ id: String(size + at), at: '2030-01-01T00:00:00Z', type: 't', body: '{}' }] };
      });
      const grown = growEdge(sha256, edge, size, entries.map(({ leaf }) => leaf));
      await store.writer.append({ log: 'facts', expected: size, entries, edge: grown, cursors: { 0: size + 3 } });
      process.stdout.write((size + 3) + '\\n');
    }`;
  let acknowledged = 0;
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    let text = '';
    for await (const chunk of child.stdout) {
      text += chunk;
      if (text.split('\n').length > 5 + round * 7) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    acknowledged = Math.max(acknowledged, ...text.split('\n').slice(0, -1).map(Number));
    await using store = await openAuditStore(`file:${here.path}`);
    const { size, cursors } = await store.writer.state('facts');
    assert.ok(size >= acknowledged && size % 3 === 0, `${size} of ${acknowledged}`);
    assert.deepEqual(cursors, { '0': size });
    const entries = await store.reader.entries('facts', 0, size);
    assert.deepEqual(
      entries.map((bytes) => Buffer.from(bytes).toString()),
      Array.from({ length: size }, (_, at) => `entry ${at}`),
    );
  }
});

test('the file and its folder are made where they are missing, for their owner alone', async () => {
  await using here = await folder();
  await using _store = await openAuditStore(`file:${here.path}/deep/audit.sqlite`);
  assert.equal((await stat(join(here.path, 'deep'))).mode & 0o777, 0o700);
  await stat(join(here.path, 'deep', 'audit.sqlite'));
});

test('a file that is no database, and a URL of another scheme, are named problems', async () => {
  await using here = await folder();
  await writeFile(join(here.path, 'audit.sqlite'), 'no database, but long enough to look like one '.repeat(40));
  await assert.rejects(openAuditStore(`file:${here.path}`), (error) => isProblem(error, 'audit/store-unreachable'));
  await assert.rejects(openAuditStore('mysql://x'), (error) => isProblem(error, 'runtime/bad-config'));
});
