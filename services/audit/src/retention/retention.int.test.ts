import assert from 'node:assert/strict';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alterFile } from '@postern/audit-store/conformance';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { beginning, type FactDraft, HoldId, type HoldScope, type Sequence } from '@postern/schemas';
import { parseKeptCheckpoint, parseServedRow } from '@postern/schemas/record';
import { parseVkeys, verifyGrowth, verifyProof } from '@postern/schemas/tlog';
import { copyLog, makeSigningKey, mapped, parseSigningKeys, verifyFolder, verifyLog } from '../app.ts';
import { type AuditRoom, auditRoom, until } from '../testing/audit-room.ts';
import { decisionBatch, factId, grantIssued } from '../testing/log-content.ts';

const [old, young] = [520, 40];
const size = old + young;
/** Long ago, and in a time to come: the policy knows which is which. */
const batches = Array.from({ length: size }, (_, at) => {
  const bytes = decisionBatch(at + 1, 2);
  return at < old ? Buffer.from(Buffer.from(bytes).toString().replaceAll('2030-', '2020-')) : bytes;
});
const policy = { facts: 'forever', decisions: '1d' } as const;

const held = (number: number, on: HoldScope): FactDraft =>
  ({
    ...grantIssued(number),
    type: 'postern.hold.placed.v1',
    data: { hold: HoldId.parse(factId(number)), on, reason: 'a claim' },
  }) as FactDraft;
const lifted = (number: number, hold: string): FactDraft =>
  ({ ...grantIssued(number), type: 'postern.hold.lifted.v1', data: { hold, reason: 'settled' } }) as FactDraft;

const world = async (options: { readonly holds?: readonly HoldScope[]; readonly prunes?: boolean } = {}) => {
  const path = await mkdtemp(join(tmpdir(), 'postern-retention-'));
  const eventLog = await openEventLog('memory:');
  const store = await openAuditStore(`file:${path}`);
  const signingKeys = parseSigningKeys(makeSigningKey());
  const holds = options.holds ?? [];
  await eventLog.facts.append(beginning, [grantIssued(0), ...holds.map((on, at) => held(at + 1, on))]);
  await eventLog.decisions.publish(batches.map((bytes) => ({ key: 'proxy-1', bytes })));
  const often = options.prunes === false ? { lookEveryMs: 3_600_000 } : { lookEveryMs: 20, pruneEveryMs: 50 };
  const retention = { policy, ...often };
  const room = await auditRoom({ eventLog, store, signingKeys }, { retention });
  await until(async () => (await store.reader.checkpoint('decisions'))?.size === size);
  const asked = async (route: string) => JSON.parse((await room.gate.get(room.service, route)).text);
  return {
    path,
    room,
    store,
    eventLog,
    signingKeys,
    asked,
    prune: async (dryRun = false) => {
      const { status, text } = await room.gate.post(room.service, 'prune', { dryRun });
      return { status, body: JSON.parse(text) };
    },
    prunedBefore: (before: number) => until(async () => (await store.reader.prunedBefore('decisions')) === before),
    [Symbol.asyncDispose]: async () => {
      await room[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
      await rm(path, { recursive: true });
    },
  };
};

const verified = async (room: AuditRoom, earlier: readonly string[] = []) =>
  verifyLog({
    get: room.log('decisions'),
    vkey: await room.vkey('decisions'),
    earlier,
    kept: mapped(room.lines('decisions', 'checkpoints'), parseKeptCheckpoint),
    rows: { log: 'decisions', served: mapped(room.lines('decisions', 'rows'), parseServedRow) },
  });

test('what the policy no longer keeps is pruned by itself, a signed fact says so, and all that remains is proven', {
  timeout: 120_000,
}, async () => {
  await using here = await world();
  const { room, store, asked } = here;
  const proofBefore = (await room.gate.get(room.service, 'log/decisions/proof/7')).text;
  const checkpoint = (await store.reader.checkpoint('decisions'))?.note ?? '';
  await here.prunedBefore(512);
  const [fact] = (await asked('facts?type=postern.retention.pruned.v1')).items;
  const { log, before, policy: by } = fact.body.data;
  assert.deepEqual([log, before, by, fact.actor], ['decisions', 512, '1d', 'postern/audit']);
  assert.equal((await asked('facts?type=postern.retention.applied.v1')).items.length, 1);

  const published = await asked('retention');
  assert.deepEqual(published.policy, policy);
  assert.deepEqual([published.logs.decisions.prunedBefore, published.pruned.before], [512, 512]);
  assert.equal((await asked('decisions?limit=1000')).items.length, (size - 512) * 2);
  assert.equal((await asked('decisions')).prunedBefore, 512);

  const found = await verified(room, [checkpoint]);
  assert.equal(found.outcome, 'intact', JSON.stringify(found));
  assert.equal(found.outcome === 'intact' && found.prunedBefore, 512);

  // The next start judges what is left, and goes on.
  await using later = await auditRoom({ ...here, signingKeys: here.signingKeys });
  await until(() => later.service.notReady().length === 0);

  // Gone is said as gone, and who kept an entry can still prove it.
  const gone = await room.gate.get(room.service, 'log/decisions/entry/7');
  assert.deepEqual([gone.status, JSON.parse(gone.text).type], [410, 'urn:postern:problem:audit/pruned']);
  assert.equal((await room.gate.get(room.service, 'log/decisions/tile/entries/000')).status, 410);
  assert.equal((await room.gate.get(room.service, 'log/decisions/tile/0/000')).status, 200);
  const keys = (await parseVkeys(await room.vkey('decisions'))) ?? [];
  for (const proof of [proofBefore, (await room.gate.get(room.service, 'log/decisions/proof/7')).text])
    assert.equal((await verifyProof(proof, batches[7] ?? new Uint8Array(), keys)).outcome, 'proven');

  // Somebody who saw the log when it was smaller than what is gone now.
  await here.eventLog.decisions.publish([{ key: 'proxy-1', bytes: decisionBatch(size + 1, 1) }]);
  await until(async () => (await store.reader.checkpoint('decisions'))?.size === size + 1);
  const { text: growth } = await room.gate.get(room.service, `log/decisions/consistency?from=${size}`);
  assert.equal((await verifyGrowth(growth, checkpoint, keys)).outcome, 'grown');
  for (const old of [1, 255, 300, 511, 512, 513])
    assert.equal((await room.gate.get(room.service, `log/decisions/consistency?from=${old}`)).status, 200, `${old}`);
});

test('a pruned log is copied without what is gone, and the copy verifies by its files alone', {
  timeout: 120_000,
}, async () => {
  await using here = await world();
  const { room } = here;
  await here.prunedBefore(512);
  const folder = join(here.path, 'copy');
  await copyLog(folder, {
    get: room.log('decisions'),
    kept: room.lines('decisions', 'checkpoints'),
    rows: room.lines('decisions', 'rows'),
  });
  await assert.rejects(access(join(folder, 'tile/entries/000')));
  const vkey = await room.vkey('decisions');
  const found = await verifyFolder(folder, 'decisions', { vkey });
  assert.equal(found.outcome, 'intact', JSON.stringify(found));
  await rm(join(folder, 'pruned'));
  const without = await verifyFolder(folder, 'decisions', { vkey });
  assert.deepEqual([without.outcome, 'what' in without && without.what], ['altered', 'missing']);
});

for (const [what, on, before] of [
  ['on everything', {}, 0],
  ['on the log', { log: 'decisions' }, 0],
  ['on a person', { subject: 'user:ann' }, 0],
  ['on a time', { from: '2020-01-01T00:05:00Z', until: '2020-01-01T00:06:00Z' }, 256],
  ['on a time that is not pruned', { from: '2030-01-01T00:00:00Z' }, 512],
  ['on another person', { subject: 'user:ben' }, 512],
  ['on the facts', { log: 'facts' }, 512],
] as const satisfies readonly (readonly [string, object, number])[])
  test(`a hold ${what} keeps what it covers, and what lies behind it`, { timeout: 120_000 }, async () => {
    await using here = await world({ holds: [on as HoldScope], prunes: false });
    const pruned = await here.prune();
    if (before === 0) {
      assert.deepEqual([pruned.status, pruned.body.type], [409, 'urn:postern:problem:audit/held']);
      assert.match(pruned.body.detail, new RegExp(factId(1)));
      assert.equal(await here.store.reader.prunedBefore('decisions'), 0);
      await here.eventLog.facts.append(2 as Sequence, [lifted(9, factId(1))]);
      assert.equal((await here.prune()).status, 200);
      await here.prunedBefore(512);
    } else {
      assert.equal(pruned.status, 200, JSON.stringify(pruned.body));
      await here.prunedBefore(before);
      assert.deepEqual(
        pruned.body.held.map(({ id }: { id: string }) => id),
        before === 512 ? [] : [factId(1)],
      );
    }
  });

test('a dry run removes nothing and writes nothing', { timeout: 120_000 }, async () => {
  await using here = await world({ prunes: false });
  const { status, body } = await here.prune(true);
  assert.deepEqual([status, body.outcome, body.from, body.before], [200, 'would-prune', 0, 512]);
  assert.equal(await here.store.reader.prunedBefore('decisions'), 0);
  assert.equal(await here.eventLog.facts.head(), 1);
});

test('what is taken away as if it had been pruned is told from what was', { timeout: 120_000 }, async () => {
  await using here = await world();
  const { room } = here;
  await here.prunedBefore(512);
  // By somebody who takes the triggers away first.
  alterFile(here.path, [
    'INSERT INTO decisions_kept SELECT idx, leaf FROM decisions_entries WHERE idx < 530',
    "UPDATE pruned SET before = 530 WHERE log = 'decisions'",
    'DELETE FROM decisions_rows WHERE idx < 530',
    'DELETE FROM decisions_entries WHERE idx < 530',
  ]);
  const found = await verified(room);
  assert.deepEqual([found.outcome, 'what' in found && found.what], ['altered', 'pruned'], JSON.stringify(found));
  // And the next start does not sign over it.
  await using later = await auditRoom({ ...here, signingKeys: here.signingKeys });
  await until(() => later.service.notReady().some((why) => /audit\/record-altered: .*decisions/.test(why)));
});

test('where decisions are kept for ever nothing is pruned, and asking says why', { timeout: 120_000 }, async () => {
  await using eventLog = await openEventLog('memory:');
  await using store = await openAuditStore('memory:');
  await eventLog.facts.append(beginning, [grantIssued(0)]);
  await using room = await auditRoom(
    { eventLog, store },
    { retention: { policy: { facts: 'forever', decisions: 'forever' }, lookEveryMs: 20 } },
  );
  await until(
    async () =>
      (await store.reader.find('facts', { type: 'postern.retention.applied.v1', limit: 1 })).rows.length === 1,
  );
  const { status, text } = await room.gate.post(room.service, 'prune', {});
  assert.deepEqual([status, JSON.parse(text).type], [409, 'urn:postern:problem:audit/no-retention']);
});
