import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { beginning, isProblem, type Sequence } from '@postern/schemas';
import { parseKeptCheckpoint } from '@postern/schemas/record';
import { makeSigningKey, mapped, parseSigningKeys, retiredKeys, rotatedKeys, verifyLog } from './app.ts';
import { auditRoom } from './testing/audit-room.ts';
import { grantIssued } from './testing/log-content.ts';

const signatures = (note: string): number => note.match(/^— /gm)?.length ?? 0;

test('while keys are rotated both sign, whoever pinned either verifies, and in the end the old one signs no more', {
  timeout: 60_000,
}, async () => {
  const path = await mkdtemp(join(tmpdir(), 'postern-rotation-'));
  try {
    await using eventLog = await openEventLog('memory:');
    const first = makeSigningKey();
    const both = rotatedKeys(first);
    const last = retiredKeys(both);
    const pinned: string[] = [];
    for (const [round, text] of [first, both, last].entries()) {
      await eventLog.facts.append(
        (round === 0 ? beginning : round * 10) as Sequence,
        Array.from({ length: 10 }, (_, at) => grantIssued(round * 10 + at)),
      );
      await using store = await openAuditStore(`file:${path}`);
      await using room = await auditRoom({ eventLog, store, signingKeys: parseSigningKeys(text) });
      await room.sealedAt({ facts: (round + 1) * 10, decisions: 0 });
      assert.equal(signatures((await store.reader.checkpoint('facts'))?.note ?? ''), round === 1 ? 2 : 1);
      const served = (await room.vkey('facts')).trim().split('\n');
      assert.equal(served.length, round === 0 ? 1 : 2);
      pinned.push(served[0] ?? '');
      const outcome = async (vkey: string) => (await verifyLog({ get: room.log('facts'), vkey })).outcome;
      assert.equal(await outcome(pinned[0] ?? ''), round < 2 ? 'intact' : 'altered');
      assert.equal(await outcome(pinned[round] ?? ''), 'intact');
      assert.equal(await outcome(served.join('\n')), 'intact');
      const kept = mapped(room.lines('facts', 'checkpoints'), parseKeptCheckpoint);
      assert.equal(
        (await verifyLog({ get: room.log('facts'), vkey: served.join('\n'), kept })).outcome,
        'intact',
        'the checkpoints of before are believed by the key of before',
      );
    }
    assert.notEqual(pinned[0], pinned[1]);
    assert.equal(pinned[1], pinned[2]);
  } finally {
    await rm(path, { recursive: true });
  }
});

test('a key file without a private key, or with a key of another kind, is refused', () => {
  const bad = (error: unknown) => isProblem(error, 'runtime/bad-config');
  assert.throws(() => parseSigningKeys('nothing'), bad);
  assert.throws(() => parseSigningKeys('{"kty":"OKP"}'), bad);
  const [, publicAlone] = retiredKeys(rotatedKeys(makeSigningKey())).split('-----END PRIVATE KEY-----\n');
  assert.throws(() => parseSigningKeys(publicAlone ?? ''), bad);
  assert.throws(() => retiredKeys(publicAlone ?? ''), bad);
});
