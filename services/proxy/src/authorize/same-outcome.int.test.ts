/** Whatever the request is: who asks about it is told what the gate itself would have done with it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { credentials, Metadata } from '@grpc/grpc-js';
import { openEventLog } from '@postern/event-log/open';
import type { DecisionRecord } from '@postern/schemas';
import fc from 'fast-check';
import { granted, joined, keyed, role, routes } from '../trial/facts.ts';
import { startTrial, type Trial } from '../trial/gate.ts';
import type { CheckRequest, CheckResponse } from './check-request.ts';
import { authorizationClient } from './ext-authz.ts';

const key = 'psk_ann';
const token = 'known-to-the-gateways';
const facts = [
  routes(
    'site',
    '/site',
    { id: 'site/open', method: 'GET', template: '/open/{path+}', public: true },
    { id: 'site/getUser', method: 'GET', template: '/users/{id}' },
    { id: 'site/setUser', method: 'PUT', template: '/users/{id}', access: 'write' },
    { id: 'site/admin', method: 'GET', template: '/users/admin', access: 'admin' },
    { id: 'site/live', method: 'GET', template: '/live', websocket: true },
    {
      id: 'site/me',
      method: 'GET',
      template: '/me/{id}',
      objects: [{ type: 'employee', parameter: 'id', permission: 'view' }],
    },
    {
      id: 'site/graph',
      method: 'POST',
      template: '/graphql',
      operation: { kind: 'graphql', type: 'query', field: 'me' },
    },
    {
      id: 'site/graph2',
      method: 'POST',
      template: '/graphql',
      operation: { kind: 'graphql', type: 'query', field: 'all' },
      access: 'admin',
    },
  ),
  role('reader', { service: 'site', access: 'read' }),
  joined('user:ann'),
  granted('user:ann', 'reader').issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'reader').issued,
];

const segment = fc.constantFrom(
  ...[
    'site',
    'open',
    'users',
    'users',
    'admin',
    'Admin',
    'me',
    'live',
    '7',
    'x%20y',
    '%C3%A9',
    '%c3%a9',
    '..',
    '.',
    '',
  ],
  ...[
    '%2e%2e',
    '%2E',
    '%2F',
    '..%2fadmin',
    'a;b',
    '%3B',
    '%25',
    '%zz',
    '%00',
    'a!b',
    'a~b',
    '%7E',
    'a@b',
    '*',
    '\\',
    '\u00e9',
    'employee:7',
  ],
);
const path = fc.oneof(
  fc.constantFrom(
    '/site/users/7',
    '/site/users/%C3%A9',
    '/site/users/admin',
    '/site/open/a/b',
    '/site/live',
    '/site/me/7',
    '/site/graphql',
  ),
  fc.array(segment, { maxLength: 4 }).map((segments) => `/site/${segments.join('/')}`),
  fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`),
);
const query = fc.constantFrom('', '', '?', '?a=1', '?x=../y', '?_method=PUT', '?%5Fmethod=PUT', '?a#b', '?q=%00', '?!');
const headers = fc.constantFrom<readonly string[]>(
  [`X-API-Key: ${key}`],
  [`X-API-Key: ${key}`],
  [`X-API-Key: ${key}`],
  [`Authorization: Bearer ${key}`],
  [],
  ['X-API-Key: psk_wrong'],
  [`X-API-Key: ${key}`, 'Authorization: Bearer other'],
  [`X-API-Key: ${key}`, `X-API-Key: ${key}`],
  [`X-API-Key: ${key}`, 'Connection: close, X-API-Key'],
  [`X-API-Key: ${key}`, 'Postern-Assertion: forged', 'X-Http-Method-Override: PUT'],
  [`X-API-Key: ${key}`, 'Upgrade: websocket', 'Connection: close, Upgrade'],
  [`X-API-Key: ${key}`, 'Upgrade: h2c', 'Connection: close, Upgrade'],
  [`X-API-Key: ${key}`, 'Origin: https://a.test', 'Content-Type: text/plain'],
);
const methods = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'OPTIONS', 'PURGE', 'TRACE');

type Sent = { readonly method: string; readonly target: string; readonly headers: readonly string[] };
type Got = { readonly status: number; readonly type: unknown; readonly decision: string | undefined };
const about = ({ status, body, headers }: Awaited<ReturnType<Trial['raw']>>): Got => ({
  // The API's own answer to a WebSocket is 101.
  status: status === 101 ? 200 : status,
  type: status >= 400 && body !== '' ? (JSON.parse(body) as { type?: unknown }).type : undefined,
  decision: headers['postern-decision'],
});
/** An answer to HEAD says a length and has no body, so the end of the connection has to tell its end. */
const closing = (headers: readonly string[]): readonly string[] =>
  headers.some((each) => each.startsWith('Connection:')) ? headers : [...headers, 'Connection: close'];
const raw = (gate: Trial, line: string, headers: readonly string[]): Promise<Got> =>
  gate
    .raw(
      `${line} HTTP/1.1\r\n${closing(headers)
        .map((each) => `${each}\r\n`)
        .join('')}\r\n`,
    )
    .then(about);

const Client = authorizationClient();
let log: Awaited<ReturnType<typeof openEventLog>>;
let gate: Trial;
let client: InstanceType<typeof Client>;
before(async () => {
  log = await openEventLog('memory:');
  const gateways = { trusted: ['127.0.0.1/32'], token, extAuthz: '127.0.0.1:0' };
  gate = await startTrial(log, facts, { service: 'site', config: { gateways } });
  client = new Client(`127.0.0.1:${gate.proxy.extAuthzPort()}`, credentials.createInsecure());
});
after(async () => {
  client.close();
  await gate[Symbol.asyncDispose]();
  await log[Symbol.asyncDispose]();
});

const check = (request: CheckRequest): Promise<CheckResponse> =>
  new Promise((resolve, reject) => {
    const metadata = new Metadata();
    metadata.set('postern-gateway', token);
    client['Check']?.(request, metadata, (error: Error | null, response: CheckResponse) =>
      error === null ? resolve(response) : reject(error),
    );
  });
const overGrpc = async ({ method, target, headers }: Sent): Promise<Got> => {
  const pairs = headers.map((each) => each.split(': ') as [string, string]);
  const values = [[':path', target], ...pairs].map(([name = '', value = '']) => ({
    key: name.toLowerCase(),
    rawValue: Buffer.from(value, 'latin1'),
  }));
  const { okResponse, deniedResponse } = await check({
    attributes: {
      source: { address: { socketAddress: { address: '127.0.0.1' } } },
      request: {
        http: { method, host: 'gate.test', scheme: 'http', path: 'not looked at', headerMap: { headers: values } },
      },
    },
  });
  const all = deniedResponse?.headers ?? okResponse?.headers ?? [];
  return {
    status: deniedResponse?.status.code ?? 200,
    type: deniedResponse?.body ? (JSON.parse(deniedResponse.body) as { type?: unknown }).type : undefined,
    decision: all.find(({ header }) => header.key === 'postern-decision')?.header.value,
  };
};

/** What is the same of two records of one request. */
const substance = (record: DecisionRecord | undefined) => {
  const { outcome, reason, principal, credential, endpoint, objects, method, path } = record ?? {};
  return { outcome, reason, principal, credential, endpoint, objects, method, path };
};

test('for any request, forward and ext_authz, over HTTP and gRPC, answer as the gate itself does', async () => {
  const pairs: (readonly [string | undefined, string | undefined, string])[] = [];
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(methods, path, query, headers, async (method, path, query, own) => {
      const target = `${path}${query}`;
      const sent = { method, target, headers: own };
      const gateSays = await raw(gate, `${method} ${target}`, ['Host: gate.test', ...own]);
      statuses.set(gateSays.status, (statuses.get(gateSays.status) ?? 0) + 1);
      const question = [`Postern-Gateway: ${token}`, 'Host: postern.test', ...own];
      const described = ['X-Forwarded-Host: gate.test', 'X-Forwarded-For: 127.0.0.1'];
      const answers: readonly (readonly [string, Got])[] = [
        [
          'forward, as nginx asks',
          await raw(gate, 'GET /.postern/authorize/forward', [
            ...[...question, ...described],
            ...[`X-Original-Method: ${method}`, `X-Original-URI: ${target}`],
          ]),
        ],
        [
          'forward, as Caddy asks',
          await raw(gate, 'GET /.postern/authorize/forward', [
            ...[...question, ...described],
            ...[`X-Forwarded-Method: ${method}`, `X-Forwarded-Uri: ${target}`],
          ]),
        ],
        ['ext_authz over gRPC', await overGrpc(sent)],
      ];
      for (const [door, answer] of answers) {
        assert.equal(answer.status, gateSays.status, `${door}: ${method} ${target}`);
        if (method !== 'HEAD' && gateSays.type !== undefined) assert.equal(answer.type, gateSays.type, door);
        pairs.push([gateSays.decision, answer.decision, `${door}: ${method} ${target}`]);
      }
      const envoy = await raw(gate, `${method} /.postern/authorize/ext-authz${target}`, [
        ...[`Postern-Gateway: ${token}`, 'Host: gate.test', 'X-Forwarded-For: 127.0.0.1'],
        ...own,
      ]);
      // Over HTTP Envoy writes "!" for what is no text, so a "!" is not believed.
      const expected = path.includes('!') ? 400 : gateSays.status;
      assert.equal(envoy.status, expected, `ext_authz over HTTP: ${method} ${target}`);
    }),
    { numRuns: 400 },
  );
  for (const status of [200, 400, 401, 403, 405]) assert.ok(statuses.has(status), `no request was answered ${status}`);
  const records = new Map((await gate.decisions((pairs.length / 3) * 5)).map((record) => [record.id, record]));
  for (const [own, asked, what] of pairs) {
    const [at, told] = [records.get(own ?? ''), records.get(asked ?? '')];
    // What Node's parser refuses is recorded without its target.
    if (at?.method === 'UNREADABLE') continue;
    assert.deepEqual(substance(told), substance(at), what);
  }
});

test('what a body calls is judged where Envoy sends the body whole, and refused from everybody else', async () => {
  const body = '{"query":"{ me { name } }"}';
  const own = { 'content-type': 'application/json', 'x-api-key': key };
  const ask = async (body: string, headers: Record<string, string>) => {
    const http = { method: 'POST', host: 'gate.test', path: '/site/graphql', headers, rawBody: Buffer.from(body) };
    return (await check({ attributes: { request: { http } } })).deniedResponse?.status.code ?? 200;
  };
  const whole = { ...own, 'x-envoy-auth-partial-body': 'false' };
  assert.equal(await ask(body, whole), 200);
  assert.equal(await ask('{"query":"{ me all }"}', whole), 403);
  assert.equal(await ask(body, { ...whole, 'x-envoy-auth-partial-body': 'true' }), 400);
  assert.equal(await ask(body, own), 400);
  const withoutBody = await raw(gate, 'GET /.postern/authorize/forward', [
    ...[`Postern-Gateway: ${token}`, 'Host: postern.test', `X-API-Key: ${key}`, 'Content-Type: application/json'],
    ...['X-Forwarded-Host: gate.test', 'X-Forwarded-Method: POST', 'X-Forwarded-Uri: /site/graphql'],
  ]);
  assert.deepEqual([withoutBody.status, withoutBody.type], [400, 'urn:postern:problem:proxy/unclear-operation']);
});

test('over gRPC, too, nobody may ask who is no configured gateway', async () => {
  const request = { attributes: { request: { http: { method: 'GET', host: 'gate.test', path: '/site/open/a' } } } };
  const unknown = (metadata: Metadata): Promise<number | undefined> =>
    new Promise((resolve) =>
      client['Check']?.(request, metadata, (error: { code?: number } | null) => resolve(error?.code)),
    );
  const wrong = new Metadata();
  wrong.set('postern-gateway', 'guessed');
  assert.deepEqual([await unknown(new Metadata()), await unknown(wrong)], [7, 7]);
  assert.equal((await check(request)).deniedResponse, undefined);
});
