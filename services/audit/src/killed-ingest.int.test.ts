import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import type { Sequence } from '@postern/schemas';
import { makeSigningKey, parseSigningKeys } from './signing-key.ts';
import { auditRoom, until } from './testing/audit-room.ts';
import { decisionBatch, grantIssued } from './testing/log-content.ts';

const pem = makeSigningKey();
const factCount = 6_000;
const batchCount = 600;

/** A process that holds the event log and takes it into the record, says so once it has begun, and ends when told to by nobody. */
const child = (folder: string) => `
  const { openAuditStore } = await import('@postern/audit-store/open');
  const { openEventLog } = await import('@postern/event-log/open');
  const { auditRoom } = await import('./testing/audit-room.ts');
  const { parseSigningKeys } = await import('./signing-key.ts');
  const eventLog = await openEventLog('file:${folder}');
  const store = await openAuditStore('file:${folder}');
  await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(${JSON.stringify(pem)}) });
  process.stdout.write('begun');
  setInterval(() => {}, 1000);`;

const rootsAndRows = async (folder: string) => {
  await using eventLog = await openEventLog(`file:${folder}`);
  await using store = await openAuditStore(`file:${folder}`);
  await using room = await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(pem) });
  for (;;) {
    const [facts, decisions] = await Promise.all([store.writer.state('facts'), store.writer.state('decisions')]);
    if (facts.size < factCount || decisions.size < batchCount) {
      await pause(20);
      continue;
    }
    await room.sealedAt({ facts: factCount, decisions: batchCount });
    await until(() => room.service.notReady().length === 0);
    const ids: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.reader.find('decisions', { limit: 1_000, order: 'oldest', ...(cursor && { cursor }) });
      ids.push(...page.rows.map(({ id }) => id));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return { facts, decisions, ids };
  }
};

test('an ingest killed at any point leaves, in the end, the very record of one that was never disturbed', {
  timeout: 60_000,
}, async () => {
  const folders = await Promise.all(['calm', 'killed'].map((name) => mkdtemp(join(tmpdir(), `postern-${name}-`))));
  const [calm, killed] = folders;
  assert.ok(calm && killed);
  try {
    for (const folder of folders) {
      await using eventLog = await openEventLog(`file:${folder}`);
      for (let from = 0; from < factCount; from += 500)
        await eventLog.facts.append(
          from as Sequence,
          Array.from({ length: 500 }, (_, at) => grantIssued(from + at)),
        );
      const records = Array.from({ length: batchCount }, (_, at) => ({ key: 'k', bytes: decisionBatch(at + 1, 5) }));
      await eventLog.decisions.publish(records);
    }
    const expected = await rootsAndRows(calm);

    const sizes = new Set<number>();
    for (let round = 0; round < 12; round++) {
      const process_ = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--no-deprecation', '--input-type=module', '-e', child(killed)],
        {
          cwd: import.meta.dirname,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(process_.stdout, 'data');
      await pause(20 + Math.random() * 180);
      process_.kill('SIGKILL');
      await once(process_, 'exit');
      await using store = await openAuditStore(`file:${killed}`);
      sizes.add((await store.writer.state('facts')).size);
    }
    assert.ok(sizes.size > 2, `killed at different points: ${[...sizes]}`);
    const found = await rootsAndRows(killed);
    assert.deepEqual(found.facts, expected.facts);
    assert.deepEqual(found.decisions, expected.decisions);
    assert.deepEqual(found.ids, expected.ids);
    assert.equal(new Set(found.ids).size, batchCount * 5);
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  }
});
