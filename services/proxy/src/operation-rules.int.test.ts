import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { endpointsFromGraphQl, endpointsFromMcp, gateSchema, Issuer, type Question } from '@postern/schemas';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { granted, joined, keyed, related, role, say, schema } from './trial/facts.ts';
import { startTrial } from './trial/gate.ts';

const issuer = 'https://idp.example.com';
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
const token = (claims: object): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience('payroll')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);

const rule = (argument: string) => [{ type: 'employee', argument, permission: 'view' }];
const rules: Readonly<Record<string, object>> = {
  'payroll/query=2Eemployee': { objects: rule('id') },
  'payroll/query=2Epayslip': { objects: rule('input.employee'), scopes: ['payslips'] },
  'payroll/tool=2Eopen': { objects: rule('id') },
};
const endpoints = [
  ...endpointsFromGraphQl('payroll', '/graphql', [
    { type: 'query', field: 'employee' },
    { type: 'query', field: 'payslip' },
    { type: 'query', field: 'motd' },
  ]),
  ...endpointsFromMcp('payroll', '/mcp', [
    { name: 'open', access: 'read' },
    { name: 'search', access: 'read' },
  ]),
].map((each) => ({ ...each, ...rules[each.id] }));
const published = (made: readonly object[]) =>
  say('postern.routes.published.v1', {
    service: 'payroll',
    mount: '/payroll',
    part: 1,
    parts: 1,
    digest: 'x',
    endpoints: made,
  } as never);
const manager = related('employee:42', 'manager', 'user:ann');
const facts = [
  schema(gateSchema),
  published(endpoints),
  role('reader', { service: 'payroll', access: 'read' }),
  role('opener', { object: 'employee:*', permission: 'view' }),
  joined('user:ann'),
  granted('user:ann', 'reader').issued,
  manager.related,
  keyed('credential:k1', 'user:ann', 'psk_1'),
  granted('credential:k1', 'reader').issued,
  granted('credential:k1', 'opener').issued,
];

const start = async (options: Parameters<typeof startTrial>[2] = {}) => {
  const gate = await startTrial(await openEventLog('memory:'), facts, {
    ...options,
    config: {
      issuers: [Issuer.parse({ issuer, audience: ['payroll'], jwks: `${issuer}/keys` })],
      ...options.config,
    },
    deps: { readIssuerDocument: async () => ({ keys: [jwk] }), ...options.deps },
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = { 'x-api-key': 'psk_1' }) =>
    fetch(`${gate.url}/payroll${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  return Object.assign(gate, {
    post,
    query: (query: string, variables?: object) => post('/graphql', { query, ...(variables && { variables }) }),
    tool: (name: string, args: object) =>
      post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
};

test('a field asks for the object that its argument names, and the record says which', async () => {
  await using gate = await start();
  assert.equal((await gate.query('{ employee(id: 42) { name } }')).status, 200);
  assert.equal((await gate.query('query ($e: ID!) { employee(id: $e) { name } }', { e: '42' })).status, 200);
  const refused = await gate.query('{ employee(id: 43) { name } }');
  assert.equal(refused.status, 403);
  assert.deepEqual(((await refused.json()) as { objects: unknown }).objects, ['employee:43#view']);
  assert.equal(gate.upstream.seen.length, 2);
  const records = await gate.decisions(3);
  assert.deepEqual(
    records.map(({ outcome, objects }) => [outcome, objects]),
    [
      ['allow', ['employee:42#view']],
      ['allow', ['employee:42#view']],
      ['deny', ['employee:43#view']],
    ],
  );
});

test('every object that any of the fields names has to be held, under an alias, in a fragment or in a list', async () => {
  await using gate = await start();
  for (const query of [
    '{ a: employee(id: 42) { name } b: employee(id: 43) { name } }',
    '{ employee(id: 42) { name } ...F } fragment F on Query { employee(id: 43) { name } }',
    '{ employee(id: 42) { name } payslip(input: { employee: 43 }) { net } }',
    '{ employee(id: [42, 43]) { name } }',
    '{ motd employee(id: 43) @skip(if: true) { name } }',
  ])
    assert.equal((await gate.query(query)).status, 403, query);
  assert.equal(
    (await gate.query('{ employee(id: 42) { name } payslip(input: { employee: 42 }) { net } }')).status,
    200,
  );
  assert.equal(gate.upstream.seen.length, 1);
});

test('what names an object in no single way is refused with 400, before anything is asked', async () => {
  await using gate = await start();
  const asked = gate.point.asked.length;
  for (const query of [
    '{ employee { name } }',
    '{ employee(id: null) { name } }',
    '{ employee(id: 42.0) { name } }',
    '{ employee(id: "") { name } }',
    '{ employee(id: "cafe\\u0301") { name } }',
    `{ employee(id: [${Array.from({ length: 101 }, (_each, at) => at).join(' ')}]) { name } }`,
  ]) {
    const answer = await gate.query(query);
    assert.equal(answer.status, 400, query);
    assert.match(await answer.text(), /proxy\/unclear-operation/);
  }
  assert.equal((await gate.tool('open', {})).status, 400);
  assert.equal(gate.upstream.seen.length, 0);
  assert.equal(gate.point.asked.length, asked);
});

test('a tool asks for the object that its argument names; a tool without a rule asks for none', async () => {
  await using gate = await start();
  assert.equal((await gate.tool('open', { id: '42' })).status, 200);
  assert.equal((await gate.tool('open', { id: 42 })).status, 200);
  assert.equal((await gate.tool('open', { id: 43 })).status, 403);
  assert.equal((await gate.tool('search', { id: 43 })).status, 200);
});

test('an object that is held no more ends the next request, cached or not, and the stream that it opened', async () => {
  await using gate = await start();
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  };
  const stream = await gate.query('{ motd employee(id: 42) { name } }');
  const reader = stream.body?.getReader();
  await reader?.read();
  gate.upstream.respond = undefined;
  assert.equal((await gate.query('{ employee(id: 42) { name } }')).status, 200);
  await gate.tell(manager.unrelated);
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  });
  assert.equal((await gate.query('{ employee(id: 42) { name } }')).status, 403);
});

test('a stream is asked about by the rules that are published later', async () => {
  await using gate = await start();
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  };
  const stream = await gate.query('{ employee(id: 42, other: 43) { name } }');
  const reader = stream.body?.getReader();
  await reader?.read();
  await gate.tell(
    published(endpoints.map((each) => (each.id.endsWith('Eemployee') ? { ...each, objects: rule('other') } : each))),
  );
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  });
});

test('the scopes of every operation count, not only those of the first', async () => {
  await using gate = await start();
  const ask = async (scope: string | undefined, query: string) =>
    gate.post(
      '/graphql',
      { query },
      {
        authorization: `Bearer ${await token({ sub: 'ann', ...(scope !== undefined && { scope }) })}`,
      },
    );
  const both = '{ motd payslip(input: { employee: 42 }) { net } }';
  assert.equal((await ask('payslips', both)).status, 200);
  assert.equal((await ask(undefined, both)).status, 200, 'a token without the claim is not delegated');
  assert.equal((await ask('other', '{ motd }')).status, 200);
  const refused = await ask('other', both);
  assert.equal(refused.status, 403);
  assert.match(refused.headers.get('www-authenticate') ?? '', /insufficient_scope.*payslips/);
  assert.equal(gate.upstream.seen.length, 3);
  const record = (await gate.decisions(4)).at(-1);
  assert.deepEqual([record?.outcome, record?.reason], ['deny', 'scope-missing']);
});

test('tools/list shows a tool only where a condition on the country is met', async () => {
  await using gate = await start({
    config: { trustedProxies: ['127.0.0.0/8'] },
    deps: { countryOf: (ip) => (ip === '192.0.2.1' ? 'AT' : undefined) },
  });
  const { decide } = gate.point;
  // As the engine answers where a grant of one tool holds in one country.
  Object.assign(gate.point, {
    decide: async (questions: readonly Question[]) => {
      const answers = await decide(questions);
      return answers.map((answer, at) =>
        questions[at]?.endpoint !== 'payroll/tool=2Eopen' || answer.outcome === 'unavailable'
          ? answer
          : questions[at]?.context?.country === 'AT'
            ? { ...answer, dependsOn: ['country'] }
            : { ...answer, outcome: 'deny', reason: 'condition-unmet', dependsOn: ['country'] },
      );
    },
  });
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"open"},{"name":"search"}]}}');
  };
  const listed = async (ip: string): Promise<string[]> => {
    const answer = await gate.post(
      '/mcp',
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { 'x-api-key': 'psk_1', 'x-forwarded-for': ip },
    );
    const { result } = (await answer.json()) as { result: { tools: { name: string }[] } };
    return result.tools.map(({ name }) => name);
  };
  assert.deepEqual(await listed('192.0.2.1'), ['open', 'search']);
  assert.deepEqual(await listed('198.51.100.1'), ['search']);
  assert.deepEqual(await listed('192.0.2.1'), ['open', 'search']);
});
