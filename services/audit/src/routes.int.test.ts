import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { beginning } from '@postern/schemas';
import { readBundle, tilePath, tilesOf, treeHasTile } from '@postern/schemas/tlog';
import { verifyLog } from './app.ts';
import { type AuditRoom, auditRoom } from './testing/audit-room.ts';
import { decisionBatch, grantIssued } from './testing/log-content.ts';

const size = 520;
const filled = async (): Promise<AuditRoom> => {
  const eventLog = await openEventLog('memory:');
  const store = await openAuditStore('memory:');
  await eventLog.facts.append(
    beginning,
    Array.from({ length: size }, (_, at) => grantIssued(at)),
  );
  await eventLog.decisions.publish([1, 2, 3].map((batch) => ({ key: 'k', bytes: decisionBatch(batch, 4) })));
  const room = await auditRoom({ eventLog, store });
  await room.sealedAt({ facts: size, decisions: 3 });
  return {
    ...room,
    [Symbol.asyncDispose]: async () => {
      await room[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
    },
  };
};

test('nothing is answered without the assertion of the gate, the public formats included', async () => {
  await using room = await filled();
  for (const path of [
    'facts',
    'decisions',
    'log/facts/checkpoint',
    'log/facts/vkey',
    'log/facts/tile/0/000',
    'proof/1',
    'log/facts/entry/0',
  ]) {
    const answer = await room.service.http.inject({ url: `/.postern/audit/${path}` });
    assert.equal(answer?.statusCode, 401, path);
    assert.match(answer?.headers['content-type'] as string, /^application\/problem\+json/);
  }
});

test('the record is searched by page, and each page says how large the record is and what covers it', async () => {
  await using room = await filled();
  const get = async (path: string) => JSON.parse((await room.gate.get(room.service, path)).text);
  const first = await get('facts?limit=2&subject=user:ben');
  assert.deepEqual(
    first.items.map(({ sequence }: { sequence: number }) => sequence),
    [520, 518],
  );
  assert.equal(first.items[0].body.data.reason, 'reason 519');
  assert.equal(first.size, size);
  assert.match(first.checkpoint, /^audit\.example\/facts\n520\n/);
  const second = await get(`facts?limit=2&subject=user:ben&cursor=${first.next}`);
  assert.deepEqual(
    second.items.map(({ sequence }: { sequence: number }) => sequence),
    [516, 514],
  );
  const range = await get('facts?from=7&to=9&order=oldest&role=payroll-read&since=2030-01-01T00:00:00Z');
  assert.deepEqual(
    range.items.map(({ sequence }: { sequence: number }) => sequence),
    [7, 8, 9],
  );
  assert.equal(range.next, null);
  const denied = await get('decisions?outcome=deny&endpoint=payroll/getEmployee&limit=1000');
  assert.equal(denied.items.length, 6);
});

test('a query with anything unknown or unreadable in it is refused and says what', async () => {
  await using room = await filled();
  for (const query of [
    'subjct=user:ann',
    'limit=0',
    'limit=9999',
    'since=yesterday',
    'order=random',
    'from=-1',
    'cursor=zzz',
    'id=a&id=b',
  ]) {
    const { status, text } = await room.gate.get(room.service, `facts?${query}`);
    assert.equal(status, 400, query);
    assert.equal(JSON.parse(text).type, 'urn:postern:problem:audit/bad-query', query);
  }
});

test('an export holds all that is found, as NDJSON or CSV, and cells are no formulas', async () => {
  await using room = await filled();
  const { text, headers } = await room.gate.get(room.service, 'facts?order=oldest', 'application/x-ndjson');
  assert.equal(headers['content-type'], 'application/x-ndjson');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ sequence }) => sequence),
    Array.from({ length: size }, (_, at) => at + 1),
  );
  const csv = (await room.gate.get(room.service, 'decisions?order=oldest&limit=5', 'text/csv')).text
    .trimEnd()
    .split('\n');
  assert.equal(csv.length, 6);
  assert.match(csv[0] ?? '', /^index,at,type,id,outcome,/);
  assert.match(csv[1] ?? '', /^0,2030-01-01T00:00:01.000Z,decision,d-1-0,deny,no-grant,user:ann,/);
});

test('every tile of the sealed tree is served, and none beyond it', async () => {
  await using room = await filled();
  const get = room.log('facts');
  for (const tile of tilesOf(size)) {
    const bytes = await get(tilePath(tile));
    assert.ok(bytes, tilePath(tile));
    if (tile.level === 'entries') assert.equal(readBundle(bytes)?.length, tile.width);
    else assert.equal(bytes.byteLength, tile.width * 32);
  }
  const beyond = [
    { level: 0, index: 2, width: 9 },
    { level: 0, index: 2, width: 256 },
    { level: 1, index: 0, width: 3 },
    { level: 2, index: 0, width: 1 },
    { level: 'entries', index: 3, width: 1 },
  ] as const;
  for (const tile of beyond) {
    assert.equal(treeHasTile(tile, size), false);
    assert.equal(await get(tilePath(tile)), undefined, tilePath(tile));
  }
  for (const path of ['tile/0/0', 'tile/0/000.p/0', 'tile/x/000', 'tile/0/..%2f..%2fcheckpoint'])
    assert.equal(await get(path), undefined, path);
});

test('what does not exist is a named 404: a fact not there yet, a sequence of zero, an index that is none', async () => {
  await using room = await filled();
  for (const path of [
    'proof/0',
    'proof/521',
    'proof/x',
    'log/facts/entry/520',
    'log/facts/entry/-1',
    'log/decisions/proof/3',
  ]) {
    const { status, text } = await room.gate.get(room.service, path);
    assert.equal(status, 404, path);
    assert.equal(JSON.parse(text).type, 'urn:postern:problem:audit/no-such-record', path);
  }
});

test('a verifier names a wrong key, a foreign checkpoint, and a log that does not begin with what was kept', async () => {
  await using room = await filled();
  await using other = await filled();
  const get = room.log('facts');
  const vkey = await room.vkey('facts');
  const what = async (options: Partial<Parameters<typeof verifyLog>[0]>) => {
    const verified = await verifyLog({ get, vkey, ...options });
    return verified.outcome === 'altered' ? verified.what : verified.outcome;
  };
  const text = async (path: string, from = room) => Buffer.from((await from.log('facts')(path)) ?? []).toString();
  assert.equal(await what({}), 'intact');
  assert.equal(await what({ earlier: await text('checkpoint') }), 'intact');
  assert.equal(await what({ vkey: 'nonsense' }), 'bad-key');
  assert.equal(await what({ vkey: await other.vkey('facts') }), 'checkpoint');
  assert.equal(await what({ vkey: await room.vkey('decisions') }), 'checkpoint');
  assert.equal(await what({ earlier: await text('checkpoint', other) }), 'earlier-checkpoint');
  assert.equal(
    await what({ get: async (path) => (path.startsWith('tile/entries/002') ? undefined : get(path)) }),
    'missing',
  );
  const swapped = new Map([
    ['tile/entries/000', 'tile/entries/001'],
    ['tile/0/000', 'tile/0/001'],
  ]);
  assert.equal(await what({ get: (path) => get(swapped.get(path) ?? path) }), 'root');
});
