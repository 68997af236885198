import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { Sequence } from '@postern/schemas';
import { fileAnchors, makeSigningKey, parseSigningKeys, verifyLog } from './app.ts';
import { auditRoom, until } from './testing/audit-room.ts';
import { grantIssued } from './testing/log-content.ts';

/** Facts are the same bytes only where they were appended alike: five at a time. */
const fill = async (eventLog: EventLog, from: number, to: number, number = from): Promise<void> => {
  for (let at = from; at < to; at += 5)
    await eventLog.facts.append(
      at as Sequence,
      Array.from({ length: 5 }, (_, place) => grantIssued(number + at - from + place)),
    );
};
const folder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-backup-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

/** A record of 40 facts whose database is that of the first 25, with the anchor of all 40. */
const setBack = async (path: string) => {
  const signingKeys = parseSigningKeys(makeSigningKey());
  const anchors = fileAnchors(join(path, 'anchor'));
  for (const count of [25, 40]) {
    await using eventLog = await openEventLog('memory:');
    await fill(eventLog, 0, count);
    {
      await using store = await openAuditStore(`file:${path}/record`);
      await using room = await auditRoom({ eventLog, store, signingKeys, anchors });
      await room.sealedAt({ facts: count, decisions: 0 });
    }
    if (count === 25) await cp(join(path, 'record'), join(path, 'backup'), { recursive: true });
  }
  await rm(join(path, 'record'), { recursive: true });
  await cp(join(path, 'backup'), join(path, 'record'), { recursive: true });
  return { signingKeys, anchors, signed: (await anchors.read('facts')) ?? '' };
};

test('a database that was set back to a backup signs nothing until it holds again what was signed, and then goes on', {
  timeout: 60_000,
}, async () => {
  await using here = await folder();
  const { signingKeys, anchors, signed } = await setBack(here.path);
  assert.match(signed, /\n40\n/);
  await using store = await openAuditStore(`file:${here.path}/record`);
  await using eventLog = await openEventLog('memory:');
  await fill(eventLog, 0, 30);
  await using room = await auditRoom({ eventLog, store, signingKeys, anchors });
  await until(() => room.service.notReady().some((line) => /audit\/record-behind.*40 entries were signed/.test(line)));
  await until(async () => (await store.writer.state('facts')).size === 30);
  assert.equal((await store.reader.checkpoint('facts'))?.size, 25);
  await fill(eventLog, 30, 45);
  await room.sealedAt({ facts: 45, decisions: 0 });
  const verified = await verifyLog({ get: room.log('facts'), vkey: await room.vkey('facts'), earlier: signed });
  assert.equal(verified.outcome, 'intact');
});

test('a database that was set back and has grown another way is a fork: the writer says so and never signs it', {
  timeout: 60_000,
}, async () => {
  await using here = await folder();
  const { signingKeys, anchors, signed } = await setBack(here.path);
  await using store = await openAuditStore(`file:${here.path}/record`);
  await using eventLog = await openEventLog('memory:');
  await fill(eventLog, 0, 25);
  await fill(eventLog, 25, 50, 500);
  await using room = await auditRoom({ eventLog, store, signingKeys, anchors });
  await until(() =>
    room.service.notReady().some((line) => /audit\/record-altered.*fork: the first 40 entries/.test(line)),
  );
  assert.equal((await store.reader.checkpoint('facts'))?.size, 25);
  assert.equal(await anchors.read('facts'), signed);
  const earlier = await verifyLog({ get: room.log('facts'), vkey: await room.vkey('facts'), earlier: signed });
  assert.equal(earlier.outcome === 'altered' && earlier.what, 'rolled-back');
});

test('an anchor that was written over is named, and nothing is signed', { timeout: 60_000 }, async () => {
  await using here = await folder();
  const { signingKeys, anchors } = await setBack(here.path);
  const file = join(here.path, 'anchor', 'audit-facts.checkpoint');
  await writeFile(file, (await readFile(file, 'utf8')).replace('\n40\n', '\n20\n'));
  await using store = await openAuditStore(`file:${here.path}/record`);
  await using eventLog = await openEventLog('memory:');
  await using room = await auditRoom({ eventLog, store, signingKeys, anchors });
  await until(() =>
    room.service.notReady().some((line) => /record-altered.*the anchor holds no checkpoint/.test(line)),
  );
});
