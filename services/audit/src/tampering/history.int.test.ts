import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { beginning } from '@postern/schemas';
import { parseVkeys, verifyGrowth } from '@postern/schemas/tlog';
import { makeSigningKey, parseSigningKeys, verifyLog } from '../app.ts';
import { auditRoom } from '../testing/audit-room.ts';
import { grantIssued } from '../testing/log-content.ts';

test('a record that was replaced as a whole and signed anew is a fork for whoever kept a checkpoint, and for nobody else', {
  timeout: 60_000,
}, async () => {
  const signingKeys = parseSigningKeys(makeSigningKey());
  /** A record of `count` facts, of which those from 10 on are numbered otherwise; judged with what was kept. */
  const told = async (count: number, more: number, kept: string) => {
    await using eventLog = await openEventLog('memory:');
    await eventLog.facts.append(
      beginning,
      Array.from({ length: count }, (_, at) => grantIssued(at < 10 ? at : at + more)),
    );
    await using store = await openAuditStore('memory:');
    await using room = await auditRoom({ eventLog, store, signingKeys });
    await room.sealedAt({ facts: count, decisions: 0 });
    const vkey = await room.vkey('facts');
    const get = room.log('facts');
    const note = (await store.reader.checkpoint('facts'))?.note ?? '';
    const keys = (await parseVkeys(vkey)) ?? [];
    const size = kept.split('\n')[1];
    const asked = kept === '' ? undefined : await room.gate.get(room.service, `log/facts/consistency?from=${size}`);
    return {
      note,
      alone: (await verifyLog({ get, vkey })).outcome,
      since: kept === '' ? undefined : await verifyLog({ get, vkey, earlier: kept }),
      grown: asked?.status === 200 ? await verifyGrowth(asked.text, kept, keys) : asked?.status,
    };
  };
  const { note: kept } = await told(20, 0, '');
  const whatOf = ({ since }: Awaited<ReturnType<typeof told>>) =>
    since?.outcome === 'altered' ? since.what : since?.outcome;
  const grownOf = ({ grown }: Awaited<ReturnType<typeof told>>) => (typeof grown === 'object' ? grown.outcome : grown);

  const rewritten = await told(25, 500, kept);
  assert.equal(rewritten.alone, 'intact', 'a fresh auditor sees nothing');
  assert.deepEqual([whatOf(rewritten), grownOf(rewritten)], ['fork', 'fork']);
  const sameSize = await told(20, 500, kept);
  assert.deepEqual([sameSize.alone, whatOf(sameSize), grownOf(sameSize)], ['intact', 'fork', 'fork']);
  const shorter = await told(15, 0, kept);
  assert.deepEqual([shorter.alone, whatOf(shorter), grownOf(shorter)], ['intact', 'rolled-back', 404]);
  const honest = await told(20, 0, kept);
  assert.deepEqual([whatOf(honest), grownOf(honest)], ['intact', 'grown']);
});
