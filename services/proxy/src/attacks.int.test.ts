/**
 * What must not happen, as octets on a socket: the tables of attacks on proxies, row by row. Each names the status and says what
 * the API behind the gate may have seen: nothing, or exactly one request without the forged part.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, type Trial, type TrialOptions } from './trial/gate.ts';
import type { Seen } from './trial/upstream.ts';

const key = 'psk_ann';
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
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'user-reader').issued,
];
const options: TrialOptions = { service: 'site' };
const auth = `X-API-Key: ${key}\r\n`;
const request = (line: string, headers = auth, body = '') =>
  `${line} HTTP/1.1\r\nHost: gate.test\r\n${headers}Connection: close\r\n\r\n${body}`;

type Row = {
  readonly name: string;
  readonly text: string;
  readonly status: number;
  /** Left out: the API must have seen nothing. */
  readonly seen?: (seen: Seen) => void;
};
const untouched = (url: string) => (seen: Seen) => assert.equal(seen.url, url);
const without =
  (...names: string[]) =>
  (seen: Seen) => {
    for (const name of names) assert.ok(!seen.names.includes(name), `the API saw ${name}`);
  };
const header = (name: string, value: string | undefined) => (seen: Seen) => assert.equal(seen.headers[name], value);
const all =
  (...checks: ((seen: Seen) => void)[]) =>
  (seen: Seen) => {
    for (const check of checks) check(seen);
  };

const paths: readonly Row[] = [
  ['P1', 'GET /public/../admin', 400],
  ['P1', 'GET /public/./x', 400],
  ['P2', 'GET /public/%2e%2e/admin', 400],
  ['P2', 'GET /public/%2E%2E/admin', 400],
  ['P2', 'GET /public/.%2e/admin', 400],
  ['P3', 'GET /public/..%2fadmin', 400],
  ['P3', 'GET /public/..%2Fadmin', 400],
  ['P3', 'GET /public%2Fx', 400],
  ['P4', 'GET /public/..\\admin', 400],
  ['P4', 'GET /public/..%5cadmin', 400],
  ['P4', 'GET /public/..%5Cadmin', 400],
  ['P5', 'GET /public/%252e%252e/admin', 400],
  ['P5', 'GET /public/%25', 400],
  ['P6', 'GET /public/..;/admin', 400],
  ['P6', 'GET /admin;x=1', 400],
  ['P6', 'GET /public/a%3Bb', 400],
  ['P7', 'GET //admin', 400],
  ['P7', 'GET /public//../admin', 400],
  ['P7', 'GET /public//admin', 400],
  ['P8', 'GET /%61dmin', 400],
  ['P8', 'GET /%41dmin', 400],
  ['P9', 'GET /ADMIN', 403],
  ['P9', 'GET /Users', 403],
  ['P10', 'GET /public/x#/../../admin', 400],
  ['P10', 'GET /public/x%23y', 400],
  ['P11', 'GET /admin?x=/public/', 403],
  ['P12', 'GET http://evil/admin', 400],
  ['P12', 'GET http://gate.test/open', 400],
  ['P12', 'GET https://gate.test/public/x', 400],
  ['P13', 'GET admin', 400],
  ['P13', 'GET *', 400],
  ['P14', 'GET /users/%2e', 400],
  ['P14', 'GET /users/.', 400],
  ['P15', 'GET /users/1%2f..%2f2', 400],
  ['P15', 'GET /users/1%2F..%2F2', 400],
  ['P16', 'GET /open%2e/admin/secret', 400],
  ['P17', 'GET /users/1%00', 400],
  ['P17', 'GET /users/1%09', 400],
  ['P17', 'GET /users/1%zz', 400],
  ['P17', 'GET /users/\u00e9', 400],
  ['P17', 'GET /users/%C0%AF', 400],
  ['P18', 'GET /publicadmin', 403],
  ['P18', 'GET /public', 403],
  ['P18', 'GET /openx', 403],
  ['slash', 'GET /open/', 403],
  ['slash', 'GET /users/', 403],
].map(([name, line, status]) => ({ name: `${name} ${line}`, text: request(String(line)), status: Number(status) }));

const good: readonly Row[] = [
  ['GET /users/%C3%A9', '/users/%C3%A9'],
  ['GET /users/x%20y', '/users/x%20y'],
  ['GET /users/1?x=../y', '/users/1?x=../y'],
  ['GET /public/a/b', '/public/a/b'],
  ['GET /users/ann%40example.com', '/users/ann%40example.com'],
  ['GET /users/1?', '/users/1?'],
  ['GET /users/1?a=%2F%2e%2e&b=http://x/', '/users/1?a=%2F%2e%2e&b=http://x/'],
].map(([line, url]) => ({
  name: `as it was: ${line}`,
  text: request(String(line)),
  status: 200,
  seen: untouched(String(url)),
}));

const override = 'X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\nX-Method-Override: DELETE\r\n';
const preflight = 'Origin: https://evil.test\r\nAccess-Control-Request-Method: DELETE\r\n';
const methods: readonly Row[] = [
  {
    name: 'M1 override headers',
    text: request('POST /users/1', `${auth}${override}Content-Length: 2\r\n`, 'ok'),
    status: 200,
    seen: all(
      (seen) => assert.equal(seen.method, 'POST'),
      without('x-http-method-override', 'x-http-method', 'x-method-override'),
    ),
  },
  { name: 'M1 _method', text: request('POST /users/1?_method=DELETE', `${auth}Content-Length: 0\r\n`), status: 400 },
  {
    name: 'M1 _method, encoded',
    text: request('POST /users/1?a=1&%5fmethod=DELETE', `${auth}Content-Length: 0\r\n`),
    status: 400,
  },
  {
    name: 'M2 HEAD where GET is allowed',
    text: request('HEAD /users/1'),
    status: 200,
    seen: (seen) => assert.equal(seen.method, 'HEAD'),
  },
  { name: 'M2 HEAD where GET is not', text: request('HEAD /admin'), status: 403 },
  { name: 'M3 preflight', text: request('OPTIONS /users/1', preflight), status: 204 },
  { name: 'M3 preflight with a credential', text: request('OPTIONS /users/1', `${auth}${preflight}`), status: 204 },
  {
    name: 'M3 preflight of a public OPTIONS endpoint',
    text: request('OPTIONS /open', preflight),
    status: 200,
    seen: (seen) => assert.equal(seen.method, 'OPTIONS'),
  },
  { name: 'M3 plain OPTIONS', text: request('OPTIONS /users/1'), status: 403 },
  { name: 'M3 OPTIONS *', text: request('OPTIONS *'), status: 400 },
  { name: 'M4 TRACE', text: request('TRACE /open'), status: 405 },
  { name: 'M4 CONNECT', text: 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', status: 405 },
  { name: 'M4 lower case', text: request('delete /users/1'), status: 400 },
  { name: 'M4 lower case get', text: request('get /open'), status: 400 },
  { name: 'M4 PROPFIND', text: request('PROPFIND /open'), status: 405 },
  { name: 'M4 unknown', text: request('HACK /open'), status: 400 },
];

const headers: readonly Row[] = [
  {
    name: 'H1 forged assertion',
    text: request(
      'GET /users/1',
      `${auth}Postern-Assertion: forged\r\npostern-decision: forged\r\nPostern-Anything: x\r\n`,
    ),
    status: 200,
    seen: all(
      (seen) => assert.match(String(seen.headers['postern-assertion']), /^eyJ/),
      without('postern-anything'),
      (seen) => assert.ok(!String(seen.headers['postern-decision']).includes('forged')),
    ),
  },
  {
    name: 'H1 forged assertion on a public endpoint',
    text: request('GET /open', 'Postern-Assertion: forged\r\n'),
    status: 200,
    seen: without('postern-assertion'),
  },
  {
    name: 'H2 underscore',
    text: request('GET /users/1', `${auth}X_Forwarded_User: root\r\nPostern_Assertion: forged\r\n`),
    status: 200,
    seen: without('x_forwarded_user', 'postern_assertion'),
  },
  {
    name: 'H3 dot',
    text: request('GET /users/1', `${auth}X.Authenticated.User: admin\r\nPostern.Assertion: forged\r\n`),
    status: 200,
    seen: without('x.authenticated.user', 'postern.assertion'),
  },
  {
    name: 'H4 Connection names our assertion',
    text: `GET /users/1 HTTP/1.1\r\nHost: gate.test\r\n${auth}Connection: close, Postern-Assertion, Postern-Decision, X-Forwarded-For\r\n\r\n`,
    status: 200,
    seen: all(
      (seen) => assert.match(String(seen.headers['postern-assertion']), /^eyJ/),
      header('x-forwarded-for', '127.0.0.1'),
    ),
  },
  {
    name: 'H4 Connection names a header of the client',
    text: `GET /users/1 HTTP/1.1\r\nHost: gate.test\r\n${auth}Connection: close, X-Hop\r\nX-Hop: 1\r\n\r\n`,
    status: 200,
    seen: without('x-hop'),
  },
  {
    name: 'H5 forged address',
    text: request(
      'GET /users/1',
      `${auth}X-Forwarded-For: 10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\nTrue-Client-IP: 10.0.0.1\r\n`,
    ),
    status: 200,
    seen: all(header('x-forwarded-for', '127.0.0.1'), without('x-real-ip', 'true-client-ip')),
  },
  {
    name: 'H6 forwarded path',
    text: request(
      'GET /admin',
      `${auth}X-Forwarded-Uri: /public/x\r\nX-Original-URL: /public/x\r\nX-Rewrite-URL: /public/x\r\n`,
    ),
    status: 403,
  },
  {
    name: 'H6 forwarded path beside an allowed one',
    text: request(
      'GET /users/1',
      `${auth}X-Forwarded-Uri: /admin\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n`,
    ),
    status: 200,
    seen: without('x-forwarded-uri', 'x-original-url', 'x-rewrite-url'),
  },
  {
    name: 'H7 forged context',
    text: request(
      'GET /users/1',
      `${auth}X-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=10.0.0.1\r\n`,
    ),
    status: 200,
    seen: all(
      header('x-forwarded-host', 'gate.test'),
      header('x-forwarded-proto', 'http'),
      without('forwarded', 'x-forwarded-port', 'x-forwarded-prefix'),
    ),
  },
  { name: 'H8 two API keys', text: request('GET /users/1', `${auth}${auth}`), status: 400 },
  {
    name: 'H8 two Authorization',
    text: request('GET /users/1', `Authorization: Bearer ${key}\r\nAuthorization: Bearer other\r\n`),
    status: 400,
  },
  {
    name: 'H8 two different credentials',
    text: request('GET /users/1', `${auth}Authorization: Bearer psk_other\r\n`),
    status: 400,
  },
  {
    name: 'H8 a token beside a key',
    text: request('GET /users/1', `${auth}Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n`),
    status: 400,
  },
  {
    name: 'H8 two Content-Type',
    text: request(
      'POST /users/1',
      `${auth}Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 0\r\n`,
    ),
    status: 400,
  },
  { name: 'H9 two Host', text: `GET /users/1 HTTP/1.1\r\nHost: gate.test\r\nHost: evil\r\n${auth}\r\n`, status: 400 },
  { name: 'H9 no Host', text: `GET /users/1 HTTP/1.1\r\n${auth}\r\n`, status: 400 },
  { name: 'H9 a Host that is none', text: `GET /users/1 HTTP/1.1\r\nHost: user@evil\r\n${auth}\r\n`, status: 400 },
  { name: 'H9 a Host with a path', text: `GET /users/1 HTTP/1.1\r\nHost: gate.test/admin\r\n${auth}\r\n`, status: 400 },
  {
    name: 'H11 the credential stays here',
    text: request('GET /users/1', `Authorization: Bearer ${key}\r\n`),
    status: 200,
    seen: without('authorization', 'x-api-key'),
  },
  {
    name: 'H11 both spellings of one credential',
    text: request('GET /users/1', `${auth}Authorization: Bearer ${key}\r\n`),
    status: 200,
    seen: without('authorization', 'x-api-key'),
  },
  { name: 'Basic is no credential here', text: request('GET /users/1', 'Authorization: Basic YTpi\r\n'), status: 401 },
  { name: 'an empty key is no credential', text: request('GET /users/1', 'X-API-Key: \r\n'), status: 401 },
  { name: 'a credential in the query is none', text: request(`GET /users/1?access_token=${key}`, ''), status: 401 },
];

const upgrade =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const switching = (line: string, more = auth) => `${line} HTTP/1.1\r\nHost: gate.test\r\n${more}${upgrade}\r\n`;
const protocol: readonly Row[] = [
  {
    name: 'X1 length and chunked',
    text: request('POST /users/1', `${auth}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, '0\r\n\r\n'),
    status: 400,
  },
  {
    name: 'X1 two lengths',
    text: request('POST /users/1', `${auth}Content-Length: 5\r\nContent-Length: 6\r\n`, 'hello!'),
    status: 400,
  },
  {
    name: 'X1 unusual coding',
    text: request('POST /users/1', `${auth}Transfer-Encoding: gzip, chunked\r\n`, '0\r\n\r\n'),
    status: 400,
  },
  { name: 'X1 space before the colon', text: request('GET /users/1', `${auth}X-A : 1\r\n`), status: 400 },
  { name: 'X1 folded header', text: request('GET /users/1', `${auth}X-A: 1\r\n folded\r\n`), status: 400 },
  { name: 'X1 bare line feed', text: `GET /users/1 HTTP/1.1\nHost: gate.test\n${auth}\n\n`, status: 400 },
  {
    name: 'X1 Expect of something else',
    text: request('POST /users/1', `${auth}Expect: 200-ok\r\nContent-Length: 0\r\n`),
    status: 400,
  },
  {
    name: 'X2 h2c',
    text: `GET /users/1 HTTP/1.1\r\nHost: gate.test\r\n${auth}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
    status: 200,
    seen: without('upgrade', 'http2-settings'),
  },
  { name: 'X2 h2 preface', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400 },
  { name: 'X3 upgrade of what is not allowed', text: switching('GET /admin'), status: 403 },
  { name: 'X3 upgrade without a credential', text: switching('GET /live', ''), status: 401 },
  {
    name: 'X3 upgrade with two credentials',
    text: switching('GET /live', `${auth}Authorization: Bearer psk_other\r\n`),
    status: 400,
  },
  { name: 'X3 upgrade of an ambiguous path', text: switching('GET /public/%2e%2e/live'), status: 400 },
  { name: 'X3 upgrade by POST', text: switching('POST /live'), status: 400 },
  { name: 'X4 upgrade of an endpoint that switches no protocols', text: switching('GET /users/1'), status: 400 },
  { name: 'X4 upgrade of a public endpoint that switches no protocols', text: switching('GET /open', ''), status: 400 },
  {
    name: 'X3 upgrade as allowed',
    text: switching('GET /live', `${auth}Postern-Assertion: forged\r\nX-Forwarded-For: 1.2.3.4\r\nX_User: root\r\n`),
    status: 101,
    seen: all(
      (seen) => assert.equal(seen.upgrade, true),
      untouched('/live'),
      (seen) => assert.match(String(seen.headers['postern-assertion']), /^eyJ/),
      header('x-forwarded-for', '127.0.0.1'),
      without('x_user', 'x-api-key'),
    ),
  },
  {
    name: 'H4 on an upgrade',
    text: `GET /live HTTP/1.1\r\nHost: gate.test\r\n${auth}${upgrade.replace('Connection: Upgrade', 'Connection: Upgrade, Postern-Assertion, X-Api-Key')}\r\n`,
    status: 101,
    seen: (seen) => assert.match(String(seen.headers['postern-assertion']), /^eyJ/),
  },
];

const run = async (gate: Trial, rows: readonly Row[]): Promise<void> => {
  let answered = 0;
  for (const { name, text, status, seen } of rows) {
    gate.upstream.seen.length = 0;
    const response = await gate.raw(text);
    assert.equal(response.status, status, `${name}: ${response.body.slice(0, 200)}`);
    answered++;
    const decision = response.headers['postern-decision'];
    assert.ok(decision !== undefined && decision !== 'forged', `${name}: the answer carries its decision`);
    if (seen === undefined) assert.deepEqual(gate.upstream.seen, [], `${name}: the API saw it`);
    else {
      assert.equal(gate.upstream.seen.length, 1, name);
      const [only] = gate.upstream.seen;
      if (only !== undefined) seen(only);
    }
  }
  const recorded = await gate.decisions(answered);
  assert.equal(recorded.length, answered, 'each request is recorded once');
  for (const [index, { status }] of rows.entries()) {
    const { outcome, refusedWith } = recorded[index] ?? {};
    if (status === 200 || status === 101) assert.deepEqual([outcome, refusedWith], ['allow', undefined]);
    else assert.deepEqual([outcome, refusedWith], ['deny', status]);
  }
};

for (const [table, rows] of Object.entries({ paths, good, methods, headers, protocol }))
  test(`${table}: ${rows.length} requests, and the API sees nothing that it should not`, async () => {
    await using log = await openEventLog('memory:');
    await using gate = await startTrial(log, facts, options);
    await run(gate, rows);
  });

test('a decision point that denies everything lets nothing through, by any way in', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(
    log,
    facts.map((fact) => JSON.parse(JSON.stringify(fact).replaceAll('"public":true', '"public":false'))),
    options,
  );
  gate.point.insist = { outcome: 'deny', reason: 'no-grant', sequence: facts.length as never, dependsOn: [] };
  for (const { text } of [...paths, ...good, ...methods, ...headers, ...protocol]) {
    const { status } = await gate.raw(text);
    assert.ok(status === 204 || (status >= 400 && status < 500), `${status}: ${text}`);
  }
  gate.point.insist = { outcome: 'unavailable', reason: 'engine-unreachable' };
  for (const { text, status: usual } of [...good, ...protocol]) {
    const { status } = await gate.raw(text);
    assert.ok(status >= 400, `${status}: ${text}`);
    if (usual === 200 && text.includes(auth)) assert.equal(status, 403);
  }
  assert.deepEqual(gate.upstream.seen, []);
});

test('an API that resets an upgrade takes nothing down', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  gate.upstream.onUpgrade = (_req, socket) => void socket.resetAndDestroy();
  assert.equal((await gate.raw(switching('GET /live'))).status, 502);
  gate.upstream.onUpgrade = (_req, socket) =>
    void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nPostern-Decision: forged\r\n\r\nno');
  const refused = await gate.raw(switching('GET /live'));
  assert.deepEqual([refused.status, refused.body], [403, 'no']);
  assert.notEqual(refused.headers['postern-decision'], 'forged');
  gate.upstream.onUpgrade = (_req, socket) => void socket.end('garbage\r\n\r\n');
  assert.equal((await gate.raw(switching('GET /live'))).status, 502);
  gate.upstream.onUpgrade = undefined;
  assert.equal((await gate.raw(switching('GET /live'))).status, 101);
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
