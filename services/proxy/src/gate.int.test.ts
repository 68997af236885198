import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { verifyAssertion } from '@postern/runtime';
import type { JWK } from 'jose';
import { granted, joined, keyed, left, role, routes, say } from './trial/facts.ts';
import { startTrial } from './trial/gate.ts';

const key = `psk_${'k'.repeat(43)}`;
const grant = granted('user:ann', 'payroll-reader');
const keyGrant = granted('credential:k1', 'payroll-reader');
const facts = [
  routes(
    'payroll',
    '/payroll',
    { id: 'payroll/getEmployee', method: 'GET', template: '/employees/{id}' },
    { id: 'payroll/setEmployee', method: 'PUT', template: '/employees/{id}', access: 'write' },
    { id: 'payroll/health', method: 'GET', template: '/health', public: true },
    { id: 'payroll/find', method: 'POST', template: '/find' },
  ),
  role('payroll-reader', { service: 'payroll', access: 'read' }),
  role('payroll-writer', { service: 'payroll', access: 'write' }),
  joined('user:ann'),
  joined('user:bob'),
  grant.issued,
  keyed('credential:k1', 'user:ann', key),
  keyGrant.issued,
  keyed('credential:kb', 'user:bob', 'psk_bob'),
];

test('an allowed request reaches the API as it was decided on, with who calls, and its answer comes back', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts);
  const response = await gate.get('/payroll/employees/7?full=1', { 'x-api-key': key });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), 'the API answers');
  const [seen] = gate.upstream.seen;
  assert.equal(seen?.url, '/employees/7?full=1');
  assert.equal(seen?.headers['x-api-key'], undefined);
  assert.equal(seen?.headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(seen?.headers['postern-decision'], response.headers.get('postern-decision'));
  const { keys } = (await (await gate.get('/.well-known/jwks.json')).json()) as { keys: JWK[] };
  const claims = await verifyAssertion(String(seen?.headers['postern-assertion']), 'payroll', { current: () => keys });
  assert.deepEqual(
    [claims.sub, claims.credential, claims.endpoint],
    ['user:ann', 'credential:k1', 'payroll/getEmployee'],
  );
  await assert.rejects(verifyAssertion(String(seen?.headers['postern-assertion']), 'other', { current: () => keys }));

  const posted = await fetch(`${gate.url}/payroll/find`, {
    method: 'POST',
    body: 'streamed',
    headers: { 'x-api-key': key, 'content-type': 'text/plain' },
  });
  assert.equal(posted.status, 200);
  assert.equal(gate.upstream.seen[1]?.body, 'streamed');

  const [first, second] = await gate.decisions(2);
  assert.deepEqual(
    [
      first?.id,
      first?.outcome,
      first?.principal,
      first?.credential,
      first?.endpoint,
      first?.method,
      first?.path,
      first?.cached,
    ],
    [
      response.headers.get('postern-decision'),
      'allow',
      'user:ann',
      'credential:k1',
      'payroll/getEmployee',
      'GET',
      '/payroll/employees/7',
      false,
    ],
  );
  assert.equal(second?.endpoint, 'payroll/find');
});

test('a second request of the same caller is decided from the cache, and a revocation that is enforced ends that', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts);
  const call = () => gate.get('/payroll/employees/7', { 'x-api-key': key });
  assert.equal((await call()).status, 200);
  assert.equal((await call()).status, 200);
  assert.equal(gate.point.asked.length, 1);
  await gate.tell(grant.revoked);
  const refused = await call();
  assert.equal(refused.status, 403);
  const problem = (await refused.json()) as Record<string, unknown>;
  assert.equal(problem['type'], 'urn:postern:problem:proxy/denied');
  assert.equal(problem['decision'], refused.headers.get('postern-decision'));
  assert.deepEqual(problem['needed'], ['payroll-reader', 'payroll-writer']);
  assert.match(String(problem['howToAsk']), /^Ask .*\.$/);
  assert.equal(gate.upstream.seen.length, 2);
});

test('what is refused says no more than the caller may know', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts);
  const anonymous = await gate.get('/payroll/employees/7');
  assert.equal(anonymous.status, 401);
  assert.equal(anonymous.headers.get('www-authenticate'), 'Bearer');
  const nowhere = await gate.get('/nowhere');
  assert.equal(nowhere.status, 401);
  assert.equal((await gate.get('/payroll/health')).status, 200);
  assert.equal((await gate.get('/payroll/health', { 'x-api-key': 'psk_wrong' })).status, 401);
  const unknown = await gate.get('/payroll/nothing', { 'x-api-key': key });
  assert.equal(unknown.status, 403);
  assert.equal(((await unknown.json()) as Record<string, unknown>)['needed'], undefined);
  const other = await fetch(`${gate.url}/payroll/employees/7`, { method: 'DELETE', headers: { 'x-api-key': key } });
  assert.equal(other.status, 403);
  const delegated = await gate.get('/payroll/employees/7', { 'x-api-key': 'psk_bob' });
  assert.equal(delegated.status, 403);
  assert.equal(gate.upstream.seen.length, 1);
});

test('a key is never wider than its owner, nor its owner through it', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts);
  const call = () => gate.get('/payroll/employees/7', { authorization: `Bearer ${key}` });
  assert.equal((await call()).status, 200);
  await gate.tell(keyGrant.revoked);
  assert.equal((await call()).status, 403);
  await gate.tell(granted('credential:k1', 'payroll-reader').issued);
  assert.equal((await call()).status, 200);
  await gate.tell(say('postern.credential.revoked.v1', { credential: 'credential:k1' }));
  assert.equal((await call()).status, 401);
  await gate.tell(keyed('credential:k2', 'user:ann', 'psk_second'), granted('credential:k2', 'payroll-reader').issued);
  assert.equal((await gate.get('/payroll/employees/7', { 'x-api-key': 'psk_second' })).status, 200);
  await gate.tell(left('user:ann'));
  assert.equal((await gate.get('/payroll/employees/7', { 'x-api-key': 'psk_second' })).status, 401);
});

test('an API that does not answer is told apart from a refusal, and takes nothing down', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { timeoutMs: 300 });
  gate.upstream.respond = () => {};
  const slow = await gate.get('/payroll/employees/7', { 'x-api-key': key });
  assert.equal(slow.status, 504);
  assert.equal(((await slow.json()) as Record<string, unknown>)['type'], 'urn:postern:problem:proxy/upstream-timeout');
  gate.upstream.respond = (_req, res) => void res.socket?.destroy();
  assert.equal((await gate.get('/payroll/employees/8', { 'x-api-key': key })).status, 502);
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-length': '100' });
    res.write('half');
    setImmediate(() => res.socket?.destroy());
  };
  const half = await gate.get('/payroll/employees/9', { 'x-api-key': key });
  await assert.rejects(half.text());
  gate.upstream.respond = undefined;
  assert.equal((await gate.get('/payroll/employees/7', { 'x-api-key': key })).status, 200);
});

test('a body larger than the service takes is refused, whether its size is said or not', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts);
  const post = (body: RequestInit['body']) =>
    fetch(`${gate.url}/payroll/find`, {
      method: 'POST',
      body,
      headers: { 'x-api-key': key },
      duplex: 'half',
    } as RequestInit);
  assert.equal((await post('x'.repeat(1_001))).status, 413);
  const chunks = new ReadableStream({
    start: (controller) => {
      for (let count = 0; count < 4; count++) controller.enqueue(Buffer.alloc(400, 'x'));
      controller.close();
    },
  });
  assert.equal((await post(chunks)).status, 413);
  assert.equal((await post('x'.repeat(1_000))).status, 200);
  assert.equal(gate.upstream.seen.length, 1);
});
