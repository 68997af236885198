import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import type { EventLog, FactBatch } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { beginning, Problem, type Sequence, sealAppend } from '@postern/schemas';
import { parseVkey, verifyProof } from '@postern/schemas/tlog';
import { makeSigningKey, parseSigningKeys, verifyLog, verifyRecord } from './app.ts';
import { auditRoom, until } from './testing/audit-room.ts';
import { decisionBatch, grantIssued, traceOfFact } from './testing/log-content.ts';

const facts = (count: number, from = 0) => Array.from({ length: count }, (_, at) => grantIssued(from + at));
const publish = (eventLog: EventLog, from: number, count: number) =>
  eventLog.decisions.publish(
    Array.from({ length: count }, (_, at) => ({ key: 'proxy-1', bytes: decisionBatch(from + at, 3) })),
  );
const folder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-record-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
};

test('what the event log holds is recorded, sealed and proven, through the HTTP API alone', {
  timeout: 60_000,
}, async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  await eventLog.facts.append(beginning, facts(300));
  await publish(eventLog, 1, 5);
  await using room = await auditRoom({ eventLog, store });
  await room.sealedAt({ facts: 300, decisions: 5 });
  await until(() => room.service.notReady().length === 0);

  for (const [log, size] of [
    ['facts', 300],
    ['decisions', 5],
  ] as const) {
    const progress: number[] = [];
    const verified = await verifyLog({
      get: room.log(log),
      vkey: await room.vkey(log),
      onProgress: (done) => progress.push(done),
    });
    assert.equal(verified.outcome, 'intact');
    assert.equal(verified.outcome === 'intact' && verified.checkpoint.size, size);
    assert.equal(progress.at(-1), size);
    const record = await verifyRecord({ get: room.log(log), vkey: await room.vkey(log) }, size - 1);
    assert.equal(record.outcome, 'intact');
  }

  const { items, checkpoint } = JSON.parse((await room.gate.get(room.service, `facts?trace=${traceOfFact(41)}`)).text);
  assert.deepEqual(
    items.map(({ sequence, index }: { sequence: number; index: number }) => [sequence, index]),
    [[42, 41]],
  );
  assert.match(checkpoint, /^audit\.example\/facts\n300\n/);
  const proof = (await room.gate.get(room.service, 'proof/42')).text;
  const entry = (await room.gate.get(room.service, 'log/facts/entry/41')).bytes;
  const key = await parseVkey(await room.vkey('facts'));
  assert.ok(key);
  assert.deepEqual(
    await verifyProof(proof, entry, key).then((judged) => judged.outcome === 'proven' && judged.index),
    41,
  );

  await eventLog.facts.append(300 as Sequence, facts(3, 300));
  await room.sealedAt({ facts: 303, decisions: 5 });
  const kept = await verifyLog({ get: room.log('facts'), vkey: await room.vkey('facts'), earlier: checkpoint });
  assert.equal(kept.outcome, 'intact');
});

test('a batch that cannot be read becomes a leaf all the same, and one too large for a leaf is set aside', {
  timeout: 60_000,
}, async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  const garbage = Uint8Array.from([0xff, 0x00, 0x7b]);
  const huge = Buffer.alloc(70_000, 'x');
  await eventLog.decisions.publish([garbage, decisionBatch(1, 2), huge].map((bytes) => ({ key: 'k', bytes })));
  await using room = await auditRoom({ eventLog, store });
  await room.sealedAt({ facts: 0, decisions: 3 });
  const { rows } = await store.reader.find('decisions', { limit: 10, order: 'oldest' });
  assert.deepEqual(
    rows.map(({ type, index }) => [type, index]),
    [
      ['unreadable', 0],
      ['decision', 1],
      ['decision', 1],
      ['unreadable', 2],
    ],
  );
  assert.deepEqual([...((await store.reader.entries('decisions', 0, 1))[0] ?? [])], [...garbage]);
  const aside = eventLog.quarantine.follow({}, { signal: new AbortController().signal });
  const { value } = await aside[Symbol.asyncIterator]().next();
  assert.deepEqual(Buffer.from(value.records[0].bytes), huge);
  assert.equal((await verifyLog({ get: room.log('decisions'), vkey: await room.vkey('decisions') })).outcome, 'intact');
});

test('a record that is closed and opened again goes on where it was, under the same key', {
  timeout: 60_000,
}, async () => {
  await using here = await folder();
  await using eventLog = await openEventLog('memory:');
  const signingKeys = parseSigningKeys(makeSigningKey());
  let earlier = '';
  for (let round = 0; round < 3; round++) {
    await eventLog.facts.append((round * 10) as Sequence, facts(10, round * 10));
    await publish(eventLog, round * 4 + 1, 4);
    await using store = await openAuditStore(`file:${here.path}`);
    await using room = await auditRoom({ eventLog, store, signingKeys });
    await room.sealedAt({ facts: (round + 1) * 10, decisions: (round + 1) * 4 });
    const verified = await verifyLog({
      get: room.log('facts'),
      vkey: await room.vkey('facts'),
      ...(earlier && { earlier }),
    });
    assert.equal(verified.outcome, 'intact');
    earlier = (await store.reader.checkpoint('facts'))?.note ?? '';
  }
  await using store = await openAuditStore(`file:${here.path}`);
  await using stranger = await auditRoom({ eventLog, store });
  await until(() => stranger.service.notReady().some((line) => line.includes('audit/record-altered')));
  assert.equal((await store.reader.checkpoint('facts'))?.note, earlier);
});

test('a gap between the log and the record stops ingest for good and is named', { timeout: 60_000 }, async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  const entries = sealAppend(beginning, facts(5));
  const holed = {
    ...eventLog.facts,
    async *follow(): AsyncGenerator<FactBatch> {
      yield { entries: entries.filter(({ sequence }) => sequence !== 3), atHead: true, strangers: [] };
    },
  };
  await using room = await auditRoom({ eventLog: { ...eventLog, facts: holed }, store });
  await until(() =>
    room.service.notReady().some((line) => /facts has stopped: audit\/gap: .*needs fact 3 next/.test(line)),
  );
  assert.equal((await store.writer.state('facts')).size, 0);
});

test('a store that is away is named and waited for, and nothing is lost or doubled', { timeout: 60_000 }, async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  let away = 0;
  // Every second append is refused, every third is carried out and its answer lost.
  const flaky = {
    ...store,
    writer: {
      ...store.writer,
      append: async (append: Parameters<typeof store.writer.append>[0]) => {
        const turn = away++;
        if (turn % 2 === 0) throw new Problem('audit/store-unreachable');
        await store.writer.append(append);
        if (turn % 3 === 0) throw new Problem('audit/store-unreachable');
      },
    },
  };
  await eventLog.facts.append(beginning, facts(20));
  await using room = await auditRoom({ eventLog, store: flaky });
  await until(() => room.service.notReady().some((line) => line.includes('waits: audit/store-unreachable')));
  await room.sealedAt({ facts: 20, decisions: 0 });
  await eventLog.facts.append(20 as Sequence, facts(10, 20));
  await room.sealedAt({ facts: 30, decisions: 0 });
  const { rows } = await store.reader.find('facts', { limit: 100, order: 'oldest' });
  assert.deepEqual(
    rows.map(({ sequence }) => sequence),
    Array.from({ length: 30 }, (_, at) => at + 1),
  );
  await until(() => room.service.notReady().length === 0);
});

test('two rooms over one record share the work and never disagree', { timeout: 60_000 }, async () => {
  await using here = await folder();
  await using eventLog = await openEventLog('memory:');
  await using one = await openAuditStore(`file:${here.path}`);
  await using two = await openAuditStore(`file:${here.path}`);
  const signingKeys = parseSigningKeys(makeSigningKey());
  await using first = await auditRoom({ eventLog, store: one, signingKeys });
  await using second = await auditRoom({ eventLog, store: two, signingKeys });
  for (let round = 0; round < 10; round++) {
    await eventLog.facts.append((round * 7) as Sequence, facts(7, round * 7));
    await publish(eventLog, round + 1, 1);
  }
  await first.sealedAt({ facts: 70, decisions: 10 });
  await second.sealedAt({ facts: 70, decisions: 10 });
  assert.equal((await verifyLog({ get: second.log('facts'), vkey: await first.vkey('facts') })).outcome, 'intact');
  assert.equal((await one.reader.find('decisions', { limit: 100 })).rows.length, 30);
});
