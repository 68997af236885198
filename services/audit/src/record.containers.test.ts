import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { startPostgres } from '@postern/containers';
import { openEventLog } from '@postern/event-log/open';
import type { Sequence } from '@postern/schemas';
import { makeSigningKey, parseSigningKeys, verifyLog } from './app.ts';
import { auditRoom, until } from './testing/audit-room.ts';
import { decisionBatch, grantIssued } from './testing/log-content.ts';

test('two rooms race for one record in PostgreSQL: each entry is in it once, and both serve one tree that verifies', {
  timeout: 120_000,
}, async () => {
  await using server = await startPostgres();
  await using eventLog = await openEventLog('memory:');
  await using one = await openAuditStore(server.url);
  await using two = await openAuditStore(server.url);
  const signingKeys = parseSigningKeys(makeSigningKey());
  await using first = await auditRoom({ eventLog, store: one, signingKeys });
  await using second = await auditRoom({ eventLog, store: two, signingKeys });
  for (let round = 0; round < 20; round++) {
    const facts = Array.from({ length: 30 }, (_, at) => grantIssued(round * 30 + at));
    await eventLog.facts.append((round * 30) as Sequence, facts);
    await eventLog.decisions.publish([{ key: 'k', bytes: decisionBatch(round + 1, 50) }]);
  }
  await first.sealedAt({ facts: 600, decisions: 20 });
  await until(() => [first, second].every((room) => room.service.notReady().length === 0));
  for (const room of [first, second])
    for (const log of ['facts', 'decisions'] as const)
      assert.equal((await verifyLog({ get: room.log(log), vkey: await first.vkey(log) })).outcome, 'intact');
  const { rows } = await two.reader.find('facts', { limit: 1_000, order: 'oldest' });
  assert.deepEqual(
    rows.map(({ sequence }) => sequence),
    Array.from({ length: 600 }, (_, at) => at + 1),
  );
  assert.equal((await one.reader.find('decisions', { limit: 1_000 })).rows.length, 1_000);
});
