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
import { auditRoom } from './testing/audit-room.ts';
import { decisionBatch, grantIssued } from './testing/log-content.ts';

/** The sizes that are promised are 100,000 and 1,000,000. */
const factCount = Number(process.env['POSTERN_LOSS_FACTS'] ?? 10_000);
const decisionCount = Number(process.env['POSTERN_LOSS_DECISIONS'] ?? 100_000);
const seed = Number(process.env['POSTERN_LOSS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const decisionsPerBatch = 100;
const batchCount = decisionCount / decisionsPerBatch;
const kills = 15;
const pem = makeSigningKey();

/** Park and Miller's: the same seed, the same pauses. */
const chance = (from: number) => {
  let state = from % 2_147_483_646;
  return () => {
    state = (Math.max(1, state) * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

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

/** `again`: the proxy did not know whether a batch had arrived, now and then, and published it once more. */
const fill = async (folder: string, again: () => boolean): Promise<void> => {
  await using eventLog = await openEventLog(`file:${folder}`);
  for (let from = 0; from < factCount; from += 500)
    await eventLog.facts.append(
      from as Sequence,
      Array.from({ length: 500 }, (_, at) => grantIssued(from + at)),
    );
  for (let batch = 1; batch <= batchCount; batch++) {
    const bytes = decisionBatch(batch, decisionsPerBatch);
    await eventLog.decisions.publish([{ key: 'k', bytes }, ...(again() ? [{ key: 'k', bytes }] : [])]);
  }
};
const taken = async (folder: string) => {
  await using eventLog = await openEventLog(`file:${folder}`);
  await using store = await openAuditStore(`file:${folder}`);
  await using _room = await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(pem) });
  const states = async () => ({
    facts: await store.writer.state('facts'),
    decisions: await store.writer.state('decisions'),
  });
  for (let now = await states(); ; now = await states()) {
    assert.ok(now.facts.size <= factCount && now.decisions.size <= batchCount, 'nothing twice');
    if (now.facts.size === factCount && now.decisions.size === batchCount) break;
    await pause(50);
  }
  // Time for what would come behind the last.
  await pause(500);
  const { facts, decisions } = await states();
  const ids = new Set<string>();
  let rows = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await store.reader.find('decisions', { limit: 1_000, order: 'oldest', ...(cursor && { cursor }) });
    rows += page.rows.length;
    for (const { id } of page.rows) ids.add(id);
    cursor = page.next;
    if (cursor === undefined) break;
  }
  return { facts: [facts.size, facts.edge], decisions: [decisions.size, decisions.edge], rows, ids: ids.size };
};

test(`${factCount} facts and ${decisionCount} decisions: ingest killed at ${kills} points, batches published twice, and the record has the root of one without faults (seed ${seed})`, {
  timeout: 3_600_000,
}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'postern-loss-'));
  const random = chance(seed);
  try {
    const [calm, killed] = [join(home, 'calm'), join(home, 'killed')];
    await fill(calm, () => false);
    await fill(killed, () => random() < 0.1);
    const expected = await taken(calm);
    const sizes = new Set<number>();
    for (let round = 0; round < kills; round++) {
      const ingesting = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--no-deprecation', '--input-type=module', '-e', child(killed)],
        { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(ingesting.stdout, 'data');
      await pause(20 + random() * 300);
      ingesting.kill('SIGKILL');
      await once(ingesting, 'exit');
      await using store = await openAuditStore(`file:${killed}`);
      sizes.add((await store.writer.state('decisions')).size);
    }
    assert.ok(sizes.size > 2, `killed at different points: ${[...sizes]}`);
    assert.deepEqual(await taken(killed), expected);
    assert.deepEqual([expected.rows, expected.ids], [decisionCount, decisionCount]);
  } finally {
    await rm(home, { recursive: true });
  }
});
