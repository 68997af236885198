import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { endpointsFromGraphQl, endpointsFromMcp } from '@postern/schemas';
import { granted, joined, keyed, role, say } from './trial/facts.ts';
import { startTrial, type Trial } from './trial/gate.ts';

const document = 'query Known { salary }';
const digest = hash('sha256', document);
const endpoints = [
  ...endpointsFromGraphQl('payroll', '/graphql', [
    { type: 'query', field: 'salary' },
    { type: 'query', field: 'employees' },
    { type: 'query', field: 'secrets' },
    { type: 'mutation', field: 'pay' },
  ]),
  ...endpointsFromMcp('payroll', '/mcp', [{ name: 'search', access: 'read' }, { name: 'pay' }, { name: 'fire' }]),
  { id: 'payroll/pay=2ERoll/Get', method: 'POST', template: '/pay.Roll/Get', access: 'read' },
  { id: 'payroll/batch', method: 'POST', template: '/batch', access: 'read', opaque: true },
];
const secret = granted('user:ann', 'secrets');
const secretKey = granted('credential:ann', 'secrets');
const facts = [
  say('postern.routes.published.v1', {
    service: 'payroll',
    mount: '/payroll',
    part: 1,
    parts: 1,
    digest: 'x',
    endpoints,
  } as never),
  role(
    'some',
    ...[
      'query=2Esalary',
      'query=2Eemployees',
      'tool=2Esearch',
      'rpc=2Etools/list',
      'mcp=2Elisten',
      'rpc=2Einitialize',
    ].map((name) => ({
      endpoint: `payroll/${name}`,
    })),
  ),
  role('secrets', { endpoint: 'payroll/query=2Esecrets' }),
  role('reader', { service: 'payroll', access: 'read' }),
  role('batcher', { endpoint: 'payroll/batch' }),
  joined('user:ann'),
  joined('user:eve'),
  granted('user:ann', 'some').issued,
  granted('user:eve', 'reader').issued,
  keyed('credential:ann', 'user:ann', 'psk_ann'),
  granted('credential:ann', 'some').issued,
  keyed('credential:eve', 'user:eve', 'psk_eve'),
  granted('credential:eve', 'reader').issued,
];

const start = async (options: Parameters<typeof startTrial>[2] = {}) => {
  const log = await openEventLog('memory:');
  const gate = await startTrial(log, facts, options);
  return Object.assign(gate, {
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${gate.url}/payroll${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'x-api-key': 'psk_ann', 'content-type': 'application/json', ...headers },
      }),
  });
};
const problemOf = async (response: Response): Promise<{ status: number; type: string; detail: string }> => {
  const { type, detail } = (await response.json()) as { type: string; detail: string };
  return { status: response.status, type: type.replace('urn:postern:problem:', ''), detail };
};
const rawPost = (gate: Trial, path: string, body: string, ...headers: string[]) =>
  gate.raw(
    [
      `POST /payroll${path} HTTP/1.1`,
      'Host: a',
      'X-Api-Key: psk_ann',
      ...(headers.some((each) => /^content-type/i.test(each)) ? [] : ['Content-Type: application/json']),
      ...headers,
      ...(headers.some((each) => /^transfer-encoding/i.test(each))
        ? []
        : [`Content-Length: ${Buffer.byteLength(body)}`]),
      '',
      Buffer.from(body).toString('latin1'),
    ].join('\r\n'),
  );

test('a GraphQL request passes octet for octet where every root field is allowed, and the record names them all', async () => {
  await using gate = await start();
  const body =
    '{ "query" : "{ a: salary\\n employees { id } b: salary }", "variables": {"big": 12345678901234567890} }';
  const response = await gate.post('/graphql', body);
  assert.equal(response.status, 200);
  assert.equal(gate.upstream.seen[0]?.body, body);
  assert.equal(gate.upstream.seen[0]?.headers['content-length'], String(Buffer.byteLength(body)));
  const [first] = await gate.decisions(1);
  assert.deepEqual(
    [first?.outcome, first?.endpoint, first?.also],
    ['allow', 'payroll/query=2Esalary', ['payroll/query=2Eemployees']],
  );
});

test('one field that is not allowed refuses the whole request, by name, and nothing reaches the API', async () => {
  await using gate = await start();
  const denied = await problemOf(await gate.post('/graphql', { query: '{ salary x: secrets employees }' }));
  assert.deepEqual(denied, {
    status: 403,
    type: 'proxy/denied',
    detail: 'query.secrets is not among what you may call here.',
  });
  for (const [query, field] of [
    ['mutation { pay }', 'mutation.pay'],
    ['{ salary ...F } fragment F on Query { ... { secrets } }', 'query.secrets'],
    ['{ __schema { types { name } } }', 'query.__schema'],
    ['{ salary __type(name: "A") { name } }', 'query.__type'],
    ['{ salary unheardOf }', 'query.unheardOf'],
    ['subscription { salary }', 'subscription.salary'],
    ['query A { salary } mutation B { pay }', 'mutation.pay'],
  ] as const) {
    const named = query.startsWith('query A') ? { operationName: 'B' } : {};
    const { status, detail } = await problemOf(await gate.post('/graphql', { query, ...named }));
    assert.deepEqual([status, detail], [403, `${field} is not among what you may call here.`], query);
  }
  assert.equal(gate.upstream.seen.length, 0);
  const records = await gate.decisions(8);
  assert.deepEqual(
    [records[0]?.outcome, records[0]?.reason, records[0]?.endpoint, records[0]?.also],
    ['deny', 'no-grant', 'payroll/query=2Esecrets', ['payroll/query=2Esalary', 'payroll/query=2Eemployees']],
  );
  assert.deepEqual([records[5]?.reason, records[5]?.endpoint], ['no-such-endpoint', undefined]);
});

test('all fields of one request are asked in one call', async () => {
  await using gate = await start();
  const asked = gate.point.asked.length;
  let calls = 0;
  const { decide } = gate.point;
  Object.assign(gate.point, {
    decide: (questions: Parameters<typeof decide>[0]) => {
      calls++;
      return decide(questions);
    },
  });
  assert.equal((await gate.post('/graphql', { query: '{ salary employees }' })).status, 200);
  assert.equal(gate.point.asked.length - asked, 2);
  assert.equal(calls, 1);
});

test('a body that could be read in another way is refused before the API sees a byte of it', async () => {
  await using gate = await start();
  const bodies: readonly (readonly [string, string, ...string[]])[] = [
    ['/graphql', '{"query":"{salary}","query":"{secrets}"}'],
    ['/graphql', '[{"query":"{salary}"}]'],
    ['/graphql', '{"query":"{salary"}'],
    ['/graphql', '\ufeff{"query":"{salary}"}'],
    ['/graphql', '{"query":"{salary}"}', 'Content-Type: text/plain'],
    ['/graphql', '{"query":"{salary}"}', 'Content-Type: application/json; charset=utf-16'],
    ['/graphql', '{salary}', 'Content-Type: application/graphql'],
    ['/graphql', '{"query":"{salary}"}', 'Content-Encoding: gzip'],
    ['/graphql?query=%7Bsecrets%7D', '{"query":"{salary}"}'],
    ['/mcp', '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]'],
    ['/mcp', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","Name":"pay"}}'],
    ['/mcp', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}', 'Mcp-Name: pay'],
    [
      '/mcp',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}',
      'Mcp-Name: search',
      'Mcp-Name: pay',
    ],
    ['/mcp', ''],
  ];
  for (const [path, body, ...headers] of bodies) {
    const answer = await rawPost(gate, path, body, ...headers);
    assert.equal(answer.status, 400, `${path} ${body} ${headers}`);
    assert.match(answer.body, /unclear-operation/);
  }
  assert.equal(gate.upstream.seen.length, 0);
  assert.equal(
    (await gate.decisions(bodies.length)).every(({ reason }) => reason === 'ambiguous-request'),
    true,
  );
});

test('a chunked body is judged whole, and goes on with its length; one that is too large is refused', async () => {
  await using gate = await start({ bodyBytesMax: 100 });
  const chunked = (body: string) =>
    rawPost(
      gate,
      '/graphql',
      [...body]
        .map((each) => `1\r\n${each}\r\n`)
        .join('')
        .concat('0\r\n\r\n'),
      'Transfer-Encoding: chunked',
    );
  assert.equal((await chunked('{"query":"{salary}"}')).status, 200);
  assert.equal(gate.upstream.seen[0]?.body, '{"query":"{salary}"}');
  assert.equal(gate.upstream.seen[0]?.headers['transfer-encoding'], undefined);
  assert.equal((await chunked('{"query":"{secrets}"}')).status, 403);
  assert.equal((await chunked(`{"query":"{salary} # ${'x'.repeat(200)}"}`)).status, 413);
  assert.equal((await gate.post('/graphql', { query: `{salary} # ${'x'.repeat(200)}` })).status, 413);
  assert.equal(gate.upstream.seen.length, 1);
});

test('a client that waits to be asked for its body is asked, once', async () => {
  await using gate = await start();
  let asked = 0;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request(`${gate.url}/payroll/graphql`, {
      method: 'POST',
      headers: { expect: '100-continue', 'x-api-key': 'psk_ann', 'content-type': 'application/json' },
    });
    sent.on('continue', () => {
      asked++;
      sent.end('{"query":"{salary}"}');
    });
    sent.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode)));
    sent.on('error', reject);
    sent.flushHeaders();
  });
  assert.deepEqual([status, asked], [200, 1]);
});

test('a query may come by GET; a WebSocket may not', async () => {
  await using gate = await start();
  const get = (query: string) =>
    gate.get(`/payroll/graphql?query=${encodeURIComponent(query)}`, { 'x-api-key': 'psk_ann' });
  assert.equal((await get('{ salary }')).status, 200);
  assert.equal((await get('{ secrets }')).status, 403);
  assert.equal((await get('mutation { pay }')).status, 400);
  const upgraded = await gate.raw(
    'GET /payroll/graphql?query=%7Bsalary%7D HTTP/1.1\r\nHost: a\r\nX-Api-Key: psk_ann\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  assert.equal(upgraded.status, 400);
  assert.equal(gate.upstream.seen.length, 1);
});

test('without a credential nobody is waited for, and nothing is said', async () => {
  await using gate = await start();
  const answer = await gate.raw(
    'POST /payroll/graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n',
  );
  assert.equal(answer.status, 401);
});

test('a persisted document is judged by what it holds, and an unknown one is refused', async () => {
  await using gate = await start({
    config: {},
    graphql: { depthMax: 3, persisted: new Map([[digest, document]]) },
  });
  const call = (sha256Hash: string) =>
    gate.post('/graphql', { extensions: { persistedQuery: { version: 1, sha256Hash } } });
  assert.equal((await call(digest)).status, 200);
  assert.equal((await call('0'.repeat(64))).status, 400);
  assert.equal((await gate.post('/graphql', { query: '{ salary { a { b { c } } } }' })).status, 400);
});

test('other documents and another depth count from the next request on', async () => {
  await using gate = await start({ graphql: { depthMax: 1, persisted: new Map() } });
  const known = () => gate.post('/graphql', { extensions: { persistedQuery: { version: 1, sha256Hash: digest } } });
  const deep = () => gate.post('/graphql', { query: '{ salary { a } }' });
  assert.deepEqual([(await known()).status, (await deep()).status], [400, 400]);
  gate.proxy.configureGraphQl({ payroll: { graphql: { depthMax: 2, persisted: new Map([[digest, document]]) } } });
  assert.deepEqual([(await known()).status, (await deep()).status], [200, 200]);
  gate.proxy.configureGraphQl({});
  assert.deepEqual([(await known()).status, (await deep()).status], [400, 200]);
});

test('a body that does not come to its end is not waited for for ever', async () => {
  await using gate = await start({ config: { bodyTimeoutMs: 20 } });
  const answer = await gate.raw(
    'POST /payroll/graphql HTTP/1.1\r\nHost: a\r\nX-Api-Key: psk_ann\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"query":',
  );
  assert.equal(answer.status, 400);
  assert.match(answer.body, /The body did not come/);
  assert.equal(answer.headers['connection'], 'close');
  assert.equal(gate.upstream.seen.length, 0);
});

test('a revocation of one of the fields ends what was asked with it, cached or not', async () => {
  await using gate = await start();
  await gate.tell(secret.issued, secretKey.issued);
  const call = () => gate.post('/graphql', { query: '{ salary secrets }' });
  assert.equal((await call()).status, 200);
  assert.equal((await call()).status, 200);
  await gate.tell(secret.revoked);
  assert.equal((await call()).status, 403);
});

test('a stream is cut when one of the fields that it was opened with is revoked', async () => {
  await using gate = await start();
  await gate.tell(secret.issued, secretKey.issued);
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  };
  const response = await gate.post('/graphql', { query: '{ salary secrets }' });
  const reader = response.body?.getReader();
  assert.match(Buffer.from((await reader?.read())?.value ?? []).toString(), /data: 1/);
  await gate.tell(secret.revoked);
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  });
});

const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

test('a tool is called by whoever may call it, and no other method or tool passes by', async () => {
  await using gate = await start();
  assert.equal((await gate.post('/mcp', call('search'))).status, 200);
  assert.equal((await gate.post('/mcp', { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} })).status, 200);
  for (const [message, name] of [
    [call('pay'), 'tool.pay'],
    [call('unlisted'), 'tool.unlisted'],
    [call('constructor'), 'tool.constructor'],
    [{ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'a:b' } }, 'rpc.resources/read'],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/Call', params: { name: 'search' } }, 'rpc.tools/Call'],
    [{ jsonrpc: '2.0', id: 1, result: {} }, 'mcp.answer'],
  ] as const) {
    const { status, detail } = await problemOf(await gate.post('/mcp', message));
    assert.deepEqual([status, detail], [403, `${name} is not among what you may call here.`]);
  }
  assert.equal(gate.upstream.seen.length, 2);
});

const listed = {
  jsonrpc: '2.0',
  id: 1,
  result: { tools: ['search', 'pay', 'fire', 'hidden'].map((name) => ({ name })), nextCursor: 'c' },
};
const seen = { ...listed, result: { tools: [{ name: 'search' }], nextCursor: 'c' } };
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

test('tools/list shows only what the caller may call, as JSON and as events, whole or in pieces', async () => {
  await using gate = await start();
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', etag: '"all"' });
    res.end(JSON.stringify(listed));
  };
  const json = await gate.post('/mcp', list, { 'accept-encoding': 'gzip' });
  assert.deepEqual(await json.json(), seen);
  assert.equal(json.headers.get('etag'), null);
  assert.equal(gate.upstream.seen[0]?.headers['accept-encoding'], 'identity');

  const text = `: hello\r\nid: 7\r\nevent: message\r\ndata: ${JSON.stringify(listed)}\r\n\r\ndata: {"jsonrpc":"2.0",\ndata: "method":"x"}\n\ndata\n\n`;
  gate.upstream.respond = async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const character of text) {
      res.write(character);
      if (character === '\r') await new Promise(setImmediate);
    }
    res.end();
  };
  assert.equal(
    await (await gate.post('/mcp', list)).text(),
    `: hello\nid: 7\nevent: message\ndata: ${JSON.stringify(seen)}\n\ndata: {"jsonrpc":"2.0",\ndata: "method":"x"}\n\ndata: \n\n`,
  );
  const opened = await gate.get('/payroll/mcp', { 'x-api-key': 'psk_ann', accept: 'text/event-stream' });
  assert.match(await opened.text(), new RegExp(`^data: ${JSON.stringify(seen).replaceAll(/[[{}\]]/g, '\\$&')}$`, 'm'));
});

test('a list that cannot be read is not passed on', async () => {
  await using gate = await start();
  for (const [headers, body] of [
    [{ 'content-type': 'application/json' }, '{"result":{"tools":['],
    [{ 'content-type': 'text/plain' }, JSON.stringify(listed)],
    [{}, JSON.stringify(listed)],
    [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, JSON.stringify(listed)],
  ] as const) {
    gate.upstream.respond = (_req, res) => {
      res.writeHead(200, headers);
      res.end(body);
    };
    const { status, type } = await problemOf(await gate.post('/mcp', list));
    assert.deepEqual([status, type], [502, 'proxy/upstream-unreadable']);
  }
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end('data: {"result":{"tools":[\n\n');
  };
  await assert.rejects(async () => (await gate.post('/mcp', list)).text());
  gate.upstream.respond = (_req, res) => {
    res.writeHead(404, { 'content-type': 'text/html' });
    res.end('gone');
  };
  assert.equal((await gate.post('/mcp', list)).status, 404);
});

test('a gRPC method is judged by its path alone, and its body streams unread', async () => {
  await using gate = await start();
  const get = (key: string) =>
    gate.post('/pay.Roll/Get', '\u0000\u0000', { 'content-type': 'application/grpc', 'x-api-key': key });
  assert.equal((await get('psk_ann')).status, 403);
  assert.equal((await get('psk_eve')).status, 200);
  assert.equal((await gate.post('/pay.Roll/Put', '', { 'x-api-key': 'psk_eve' })).status, 403);
});

test('no class of access reaches an opaque endpoint; a role that names it does', async () => {
  await using gate = await start();
  const batch = () => gate.post('/batch', '[]', { 'x-api-key': 'psk_eve' });
  assert.equal((await batch()).status, 403);
  await gate.tell(granted('user:eve', 'batcher').issued, granted('credential:eve', 'batcher').issued);
  assert.equal((await batch()).status, 200);
});

test('operations that are taken from the routes while a request waits are refused', async () => {
  await using gate = await start();
  assert.equal((await gate.post('/graphql', { query: '{ salary }' })).status, 200);
  const fewer = endpoints.filter(({ id }) => id !== 'payroll/query=2Esalary');
  await gate.tell(
    say('postern.routes.published.v1', {
      service: 'payroll',
      mount: '/payroll',
      part: 1,
      parts: 1,
      digest: 'y',
      endpoints: fewer,
    } as never),
  );
  assert.equal((await gate.post('/graphql', { query: '{ salary }' })).status, 403);
});
