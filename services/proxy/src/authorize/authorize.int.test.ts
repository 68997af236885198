import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { verifyAssertion } from '@postern/runtime';
import type { DecisionPoint } from '@postern/schemas';
import type { JWK } from 'jose';
import { granted, joined, keyed, role, routes } from '../trial/facts.ts';
import { startTrial, type Trial } from '../trial/gate.ts';
import type { RawAnswer } from '../trial/raw.ts';

const key = `psk_${'k'.repeat(43)}`;
const grant = granted('user:ann', 'payroll-reader');
const facts = [
  routes(
    'payroll',
    '/payroll',
    { id: 'payroll/getEmployee', method: 'GET', template: '/employees/{id}' },
    { id: 'payroll/setEmployee', method: 'PUT', template: '/employees/{id}', access: 'write' },
    { id: 'payroll/health', method: 'GET', template: '/health', public: true },
    { id: 'payroll/live', method: 'GET', template: '/live', websocket: true },
  ),
  role('payroll-reader', { service: 'payroll', access: 'read' }),
  joined('user:ann'),
  grant.issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'payroll-reader').issued,
];
const token = 'known-to-the-gateways';
const gateways = { trusted: ['127.0.0.1/32'], token };
type Headers = Readonly<Record<string, string>>;
const asGateway: Headers = { 'Postern-Gateway': token };
const nginx = (method: string, uri: string): Headers => ({
  'X-Original-Method': method,
  'X-Original-URI': uri,
  'X-Forwarded-Host': 'api.test',
});
const caddy = (method: string, uri: string): Headers => ({
  'X-Forwarded-Method': method,
  'X-Forwarded-Uri': uri,
  'X-Forwarded-Host': 'api.test',
});
const ask = (gate: Trial, headers: Headers, path = '/.postern/authorize/forward'): Promise<RawAnswer> =>
  gate.raw(
    `GET ${path} HTTP/1.1\r\nHost: gate.test\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  );
const problemOf = ({ body }: RawAnswer) => JSON.parse(body) as Readonly<Record<string, unknown>>;

test('a gateway that asks about an allowed request is told so, with our word for the API and nothing else', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  for (const describe of [nginx, caddy]) {
    const headers = { ...asGateway, ...describe('GET', '/payroll/employees/7?full=1'), 'X-API-Key': key };
    const answer = await ask(gate, headers, describe === caddy ? '/.postern/authorize/forward?full=1' : undefined);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], '0');
    const { keys } = (await (await gate.get('/.well-known/jwks.json')).json()) as { keys: JWK[] };
    const claims = await verifyAssertion(answer.headers['postern-assertion'] ?? '', 'payroll', { current: () => keys });
    assert.deepEqual([claims.sub, claims.endpoint], ['user:ann', 'payroll/getEmployee']);
    assert.notEqual(answer.headers['postern-decision'], undefined);
  }
  assert.equal(gate.upstream.seen.length, 0);
  const [first, second] = await gate.decisions(2);
  assert.deepEqual(
    [first?.via, first?.outcome, first?.endpoint, first?.path, first?.cached, second?.cached],
    ['forward', 'allow', 'payroll/getEmployee', '/payroll/employees/7', false, true],
  );
});

test('a refusal is the same problem, with its decision, and comes as a header too where the gateway passes on no body', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  const refused = await ask(gate, { ...asGateway, ...nginx('PUT', '/payroll/employees/7'), 'X-API-Key': key });
  assert.equal(refused.status, 403);
  assert.equal(problemOf(refused)['type'], 'urn:postern:problem:proxy/denied');
  assert.equal(problemOf(refused)['decision'], refused.headers['postern-decision']);
  assert.deepEqual(JSON.parse(refused.headers['postern-problem'] ?? ''), problemOf(refused));
  assert.equal(refused.headers['postern-assertion'], undefined);
  const anonymous = await ask(gate, { ...asGateway, ...caddy('GET', '/payroll/employees/7') });
  assert.equal(anonymous.status, 401);
  assert.equal(anonymous.headers['www-authenticate'], 'Bearer');
  assert.equal(anonymous.headers['postern-problem'], undefined);
  const open = await ask(gate, { ...asGateway, ...caddy('GET', '/payroll/health') });
  // Empty and not left out: a gateway that copies it writes over a forged one.
  assert.deepEqual([open.status, open.headers['postern-assertion']], [200, '']);
});

test('who is no configured gateway, by address or by token, finds a path that is nobody’s', async () => {
  await using log = await openEventLog('memory:');
  const spoof = { ...caddy('GET', '/payroll/health'), 'X-Forwarded-For': '10.0.0.1' };
  for (const [config, headers] of [
    [{ gateways }, spoof],
    [{ gateways }, { ...spoof, 'Postern-Gateway': 'guessed' }],
    [{ gateways: { trusted: ['10.0.0.0/8'], token } }, { ...asGateway, ...spoof }],
    [{ gateways: { trusted: [] } }, spoof],
    [{}, spoof],
  ] as const) {
    await using gate = await startTrial(log, facts, { config });
    assert.equal((await ask(gate, headers)).status, 401);
    const known = await ask(gate, { ...headers, 'X-API-Key': key });
    assert.deepEqual([known.status, known.headers['postern-assertion']], [403, undefined]);
    const envoy = await ask(gate, headers, '/.postern/authorize/ext-authz/payroll/health');
    assert.equal(envoy.status, 401);
  }
});

test('a request that is described twice, by halves or not at all is refused', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  const open = '/payroll/health';
  const rows: readonly Headers[] = [
    {},
    { 'X-Forwarded-Uri': open, 'X-Forwarded-Host': 'api.test' },
    { 'X-Forwarded-Method': 'GET', 'X-Forwarded-Host': 'api.test' },
    { 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': open },
    // A client's own headers of the other kind.
    { ...nginx('GET', open), 'X-Forwarded-Method': 'GET' },
    { ...caddy('GET', open), 'X-Original-URI': open },
    { ...nginx('GET', open), 'X-Original-URL': 'https://api.test/payroll/employees/7' },
    { ...nginx('GET', open), 'X-Original-URL': 'https://other.test/payroll/health' },
    { ...nginx('GET', open), 'X-Original-URL': open },
    { ...caddy('GET', open), 'x-forwarded-uri ': open },
    { ...caddy('GET', open), 'x-Forwarded-URI': open },
  ];
  for (const row of rows) {
    const answer = await ask(gate, { ...asGateway, ...row });
    assert.equal(answer.status, 400, JSON.stringify(row));
    assert.equal(problemOf(answer)['type'], 'urn:postern:problem:proxy/ambiguous-request');
  }
  const ingress = {
    ...asGateway,
    'X-Original-Method': 'GET',
    'X-Original-URL': 'https://api.test/payroll/health?deep=1',
  };
  assert.equal((await ask(gate, ingress)).status, 200);
});

test('no refusal is a 2xx, which a gateway would read as leave: not even the answer to a preflight', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  const preflight = { Origin: 'https://page.test', 'Access-Control-Request-Method': 'PUT' };
  const answer = await ask(gate, { ...asGateway, ...caddy('OPTIONS', '/payroll/employees/7'), ...preflight });
  assert.equal(answer.status, 403);
});

test('the caller’s address is what the gateway says, and unknown where it says nothing', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  const about = { ...asGateway, ...caddy('GET', '/payroll/health') };
  await ask(gate, { ...about, 'X-Forwarded-For': '198.51.100.9, 203.0.113.7' });
  await ask(gate, about);
  await ask(gate, { ...about, 'X-Forwarded-For': '198.51.100.9, unknown' });
  assert.deepEqual(
    (await gate.decisions(3)).map(({ ip }) => ip),
    ['203.0.113.7', undefined, undefined],
  );
});

test('a request that switches protocols is told from one that does not', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  const upgrade = { Upgrade: 'websocket', Connection: 'Upgrade', 'X-API-Key': key };
  const about = (path: string) => ask(gate, { ...asGateway, ...caddy('GET', path), ...upgrade });
  assert.equal((await about('/payroll/live')).status, 200);
  assert.equal((await about('/payroll/employees/7')).status, 400);
});

test('a revocation that is enforced ends what a gateway is told', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { config: { gateways } });
  const about = { ...asGateway, ...caddy('GET', '/payroll/employees/7'), 'X-API-Key': key };
  assert.equal((await ask(gate, about)).status, 200);
  await gate.tell(grant.revoked);
  assert.equal((await ask(gate, about)).status, 403);
});

test('what cannot be recorded is not vouched for, even where there was room when the gateway asked', async () => {
  await using log = await openEventLog('memory:');
  const [asked, release, published] = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const decisionPoint: DecisionPoint = {
    decide: async (questions) => {
      asked?.resolve();
      await release?.promise;
      return questions.map(({ atLeast }) => ({ outcome: 'allow', sequence: atLeast, dependsOn: [] }));
    },
  };
  const eventLog = { ...log, decisions: { ...log.decisions, publish: async () => published?.promise } };
  const deps = { unrecordedDecisionsMax: 1, eventLog, decisionPoint };
  await using gate = await startTrial(log, facts, { config: { gateways }, deps });
  const answer = ask(gate, { ...asGateway, ...caddy('GET', '/payroll/employees/7'), 'X-API-Key': key });
  await asked?.promise;
  assert.equal((await ask(gate, { ...asGateway, ...caddy('GET', '//') })).status, 400);
  release?.resolve();
  const { status, headers } = await answer;
  assert.deepEqual([status, headers['postern-assertion']], [503, undefined]);
  published?.resolve();
});
