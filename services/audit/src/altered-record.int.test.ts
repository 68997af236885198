import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alterFile } from '@postern/audit-store/conformance';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { beginning } from '@postern/schemas';
import { makeSigningKey, parseSigningKeys, verifyLog } from './app.ts';
import { auditRoom, until } from './testing/audit-room.ts';
import { grantIssued } from './testing/log-content.ts';

const facts = (count: number) => Array.from({ length: count }, (_, at) => grantIssued(at));
const folder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-record-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

const recorded = async (path: string) => {
  const signingKeys = parseSigningKeys(makeSigningKey());
  await using eventLog = await openEventLog('memory:');
  await eventLog.facts.append(beginning, facts(300));
  await using store = await openAuditStore(`file:${path}`);
  await using room = await auditRoom({ eventLog, store, signingKeys });
  await room.sealedAt({ facts: 300, decisions: 0 });
  return { signingKeys, vkey: await room.vkey('facts'), note: (await store.reader.checkpoint('facts'))?.note };
};

const bytesOf267 =
  "UPDATE facts_entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'user:ben', 'user:eve') AS BLOB) WHERE idx = 267";
for (const [what, statements, verifies] of [
  ['one byte of one entry', [bytesOf267], { outcome: 'altered', what: 'entry', index: 267 }],
  [
    'one leaf',
    ['UPDATE facts_entries SET leaf = zeroblob(32) WHERE idx = 12'],
    { outcome: 'altered', what: 'entry', index: 12 },
  ],
  [
    'an entry that was taken out',
    ['DELETE FROM facts_entries WHERE idx = 299'],
    { outcome: 'altered', what: 'missing', index: 256 },
  ],
  [
    'a log cut back to an earlier size',
    [
      'DELETE FROM facts_entries WHERE idx >= 256',
      "UPDATE heads SET size = 256, edge = zeroblob(32) WHERE log = 'facts'",
    ],
    { outcome: 'altered', what: 'missing', index: 256 },
  ],
] as const)
  test(`${what}: the room refuses to sign and to be ready, and verification names the place`, {
    timeout: 60_000,
  }, async () => {
    await using here = await folder();
    const before = await recorded(here.path);
    alterFile(here.path, statements);
    await using store = await openAuditStore(`file:${here.path}`);
    await using eventLog = await openEventLog('memory:');
    await using room = await auditRoom({ eventLog, store, signingKeys: before.signingKeys });
    await until(() =>
      room.service.notReady().some((line) => line.startsWith('facts is not sealed: audit/record-altered')),
    );
    const { why: _, ...found } = { why: '', ...(await verifyLog({ get: room.log('facts'), vkey: before.vkey })) };
    assert.deepEqual(found, verifies);
    assert.equal((await store.reader.checkpoint('facts'))?.note, before.note);
  });

test('an edge that was changed is not gone on from: what was signed still verifies, nothing more is signed', {
  timeout: 60_000,
}, async () => {
  await using here = await folder();
  const before = await recorded(here.path);
  alterFile(here.path, ["UPDATE heads SET edge = zeroblob(128) WHERE log = 'facts'"]);
  await using store = await openAuditStore(`file:${here.path}`);
  await using eventLog = await openEventLog('memory:');
  await using room = await auditRoom({ eventLog, store, signingKeys: before.signingKeys });
  await until(() =>
    room.service.notReady().some((line) => line.startsWith('facts is not sealed: audit/record-altered')),
  );
  assert.equal((await verifyLog({ get: room.log('facts'), vkey: before.vkey })).outcome, 'intact');
  assert.equal((await store.reader.checkpoint('facts'))?.note, before.note);
});
