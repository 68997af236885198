/**
 * What must not happen, as octets on a socket: the corpus of attacks on proxies (e2e/attacks), row by row. Each names the status and says
 * what the API behind the gate may have seen: nothing, or exactly one request without the forged part.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { type CorpusRow, corpusKey, corpusTable, corpusText, tables } from './trial/corpus.ts';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, type Trial, type TrialOptions } from './trial/gate.ts';
import type { Seen } from './trial/upstream.ts';

const get = (id: string, template: string) => ({ id: `site/${id}`, method: 'GET', template });
const facts = [
  routes(
    'site',
    '/',
    { ...get('public', '/public/{path+}'), public: true },
    { ...get('open', '/open'), public: true },
    get('admin', '/admin'),
    get('adminSecret', '/admin/secret'),
    get('user', '/users/{id}'),
    get('users', '/users'),
    { id: 'site/delUser', method: 'DELETE', template: '/users/{id}', access: 'write' },
    { id: 'site/addUser', method: 'POST', template: '/users/{id}', access: 'write' },
    { ...get('live', '/live'), websocket: true },
    { id: 'site/optUsers', method: 'OPTIONS', template: '/users/{id}' },
    { id: 'site/optOpen', method: 'OPTIONS', template: '/open', public: true },
  ),
  role('user-reader', { endpoint: 'site/user' }, { endpoint: 'site/live' }, { endpoint: 'site/addUser' }),
  joined('user:ann'),
  granted('user:ann', 'user-reader').issued,
  keyed('credential:k1', 'user:ann', corpusKey),
  granted('credential:k1', 'user-reader').issued,
];
const options: TrialOptions = { service: 'site' };
const auth = `X-API-Key: ${corpusKey}\r\n`;
const request = (line: string, headers = auth): string =>
  corpusText({ case: '', line, credential: false, headers: headers.split('\r\n').slice(0, -1), answer: 0 });
const switching = corpusText({ case: '', line: 'GET /live', upgrade: true, answer: 101 });

const nameOf = (row: CorpusRow): string => [row.case, row.what, row.line].filter(Boolean).join(' ');

const checkSeen = (name: string, expected: NonNullable<CorpusRow['seen']>, seen: Seen): void => {
  for (const part of ['method', 'url', 'upgrade'] as const)
    if (expected[part] !== undefined) assert.equal(seen[part], expected[part], `${name}: ${part}`);
  for (const [header, value] of Object.entries(expected.headers ?? {}))
    assert.equal(seen.headers[header], value, `${name}: ${header}`);
  for (const header of expected.lacks ?? []) assert.ok(!seen.names.includes(header), `${name}: the API saw ${header}`);
  if (expected.signed === true) assert.match(String(seen.headers['postern-assertion']), /^eyJ/, name);
  assert.ok(!JSON.stringify([seen.headers['postern-assertion'], seen.headers['postern-decision']]).includes('forged'));
};

const run = async (gate: Trial, rows: readonly CorpusRow[]): Promise<void> => {
  let answered = 0;
  for (const row of rows) {
    const name = nameOf(row);
    gate.upstream.seen.length = 0;
    const response = await gate.raw(corpusText(row));
    assert.equal(response.status, row.answer, `${name}: ${response.body.slice(0, 200)}`);
    answered++;
    const decision = response.headers['postern-decision'];
    assert.ok(decision !== undefined && decision !== 'forged', `${name}: the answer carries its decision`);
    if (row.seen === undefined) assert.deepEqual(gate.upstream.seen, [], `${name}: the API saw it`);
    else {
      assert.equal(gate.upstream.seen.length, 1, name);
      const [only] = gate.upstream.seen;
      if (only !== undefined) checkSeen(name, row.seen, only);
    }
  }
  const recorded = await gate.decisions(answered);
  assert.equal(recorded.length, answered, 'each request is recorded once');
  for (const [index, { answer }] of rows.entries()) {
    const { outcome, refusedWith } = recorded[index] ?? {};
    if (answer === 200 || answer === 101) assert.deepEqual([outcome, refusedWith], ['allow', undefined]);
    else assert.deepEqual([outcome, refusedWith], ['deny', answer]);
  }
};

for (const table of tables) {
  const rows = corpusTable(table);
  test(`${table}: ${rows.length} requests, and the API sees nothing that it should not`, async () => {
    await using log = await openEventLog('memory:');
    await using gate = await startTrial(log, facts, options);
    await run(gate, rows);
  });
}

test('a decision point that denies everything lets nothing through, by any way in', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(
    log,
    facts.map((fact) => JSON.parse(JSON.stringify(fact).replaceAll('"public":true', '"public":false'))),
    options,
  );
  gate.point.insist = { outcome: 'deny', reason: 'no-grant', sequence: facts.length as never, dependsOn: [] };
  const rows = tables.flatMap(corpusTable);
  for (const row of rows) {
    const text = corpusText(row);
    const { status } = await gate.raw(text);
    assert.ok(status === 204 || (status >= 400 && status < 500), `${status}: ${text}`);
  }
  gate.point.insist = { outcome: 'unavailable', reason: 'engine-unreachable' };
  for (const row of [...rows.filter((each) => each.case === 'passes'), ...corpusTable('protocol')]) {
    const text = corpusText(row);
    const { status } = await gate.raw(text);
    assert.ok(status >= 400, `${status}: ${text}`);
    if (row.case === 'passes' && row.line?.startsWith('GET /users')) assert.equal(status, 403);
  }
  assert.deepEqual(gate.upstream.seen, []);
});

test('an API that resets an upgrade takes nothing down', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  gate.upstream.onUpgrade = (_req, socket) => void socket.resetAndDestroy();
  assert.equal((await gate.raw(switching)).status, 502);
  gate.upstream.onUpgrade = (_req, socket) =>
    void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nPostern-Decision: forged\r\n\r\nno');
  const refused = await gate.raw(switching);
  assert.deepEqual([refused.status, refused.body], [403, 'no']);
  assert.notEqual(refused.headers['postern-decision'], 'forged');
  gate.upstream.onUpgrade = (_req, socket) => void socket.end('garbage\r\n\r\n');
  assert.equal((await gate.raw(switching)).status, 502);
  gate.upstream.onUpgrade = undefined;
  assert.equal((await gate.raw(switching)).status, 101);
  assert.equal((await gate.raw(request('GET /users/1'))).status, 200);
});

test('only a trusted proxy says whom it speaks for, and only the right-most stranger counts', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    ...options,
    config: { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] },
  });
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['X-Forwarded-For: 9.9.9.9, 203.0.113.5, 10.1.1.1\r\n', '203.0.113.5'],
    ['X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 203.0.113.6\r\n', '203.0.113.6'],
    ['X-Forwarded-For: 9.9.9.9, ::ffff:203.0.113.7, ::ffff:10.1.1.1\r\n', '203.0.113.7'],
    ['X-Forwarded-For: ::ffff:cb00:7108\r\n', '203.0.113.8'],
    ['X-Forwarded-For: 203.0.113.5, nonsense\r\n', undefined],
    ['', '127.0.0.1'],
  ];
  for (const [headers, ip] of rows) {
    gate.upstream.seen.length = 0;
    assert.equal((await gate.raw(request('GET /users/1', `${auth}${headers}`))).status, 200);
    assert.equal(gate.upstream.seen[0]?.headers['x-forwarded-for'], ip, headers);
  }
});
