import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { openSealedStore } from '@postern/profiles/open';
import { beginning, commitmentOf } from '@postern/schemas';
import { bundleTexts, textsFile, verifyBundle } from '@postern/schemas/evidence';
import { unzipSync } from 'fflate';
import { auditRoom } from '../testing/audit-room.ts';
import { grantIssued } from '../testing/log-content.ts';

test('a bundle brings the texts that are kept and opens the commitments with them; one that was changed is found, one that was erased is missing', {
  timeout: 60_000,
}, async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  await using sealed = await openSealedStore('memory:');
  const salt = new Uint8Array(randomBytes(32));
  const text = 'covers for "Ulysses",\nwho is ill';
  const commitment = await commitmentOf(salt, text);
  const about = { subject: 'user:ann', author: 'user:boss', member: 'postern.grant.issued.v1/reason', sequence: 1 };
  await sealed.keep([{ commitment, salt, text, ...about }]);
  const fact = grantIssued(0);
  await eventLog.facts.append(beginning, [{ ...fact, data: { ...fact.data, reason: commitment } } as typeof fact]);
  await using room = await auditRoom({ eventLog, store, sealed });
  await room.sealedAt({ facts: 1, decisions: 0 });
  const exported = async () =>
    new Map(Object.entries(unzipSync((await room.gate.get(room.service, 'export?kind=facts')).bytes)));
  const shown = async (accept: string, more = '') => (await room.gate.get(room.service, `facts${more}`, accept)).text;

  const bundle = await exported();
  assert.equal((await verifyBundle(bundle)).outcome, 'verified');
  assert.deepEqual([...bundleTexts(bundle)], [[commitment, text]]);
  const changed = new Map(bundle).set(
    textsFile,
    Buffer.from(
      Buffer.from(bundle.get(textsFile) ?? '')
        .toString()
        .replace('ill', 'well'),
    ),
  );
  const { findings } = await verifyBundle(changed);
  assert.ok(
    findings.some(({ file, why }) => file === textsFile && /committed/.test(why)),
    JSON.stringify(findings),
  );

  assert.equal(JSON.parse(await shown('application/x-ndjson')).body.data.reason, text);
  assert.ok((await shown('text/csv')).includes('""Ulysses""'), 'whatever it holds, a cell stays a cell');
  assert.equal(JSON.parse(await shown('application/x-ndjson', '?texts=recorded')).reason, commitment);

  await sealed.erase('user:ann', 2);
  const after = await exported();
  assert.equal((await verifyBundle(after)).outcome, 'verified');
  assert.deepEqual([...bundleTexts(after)], []);
  assert.deepEqual(after.get('entries/facts/0.json'), bundle.get('entries/facts/0.json'));
  const row = JSON.parse(await shown('application/x-ndjson'));
  assert.deepEqual([row.reason, row.body.data.reason], ['[erased]', '[erased]']);

  // A store that does not answer is said in the text's place.
  await sealed[Symbol.asyncDispose]();
  assert.equal(JSON.parse(await shown('application/x-ndjson')).reason, '[not available now]');
  assert.equal(JSON.parse(await shown('application/json')).items[0].reason, '[not available now]');
});
