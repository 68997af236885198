import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { gateSchema, Issuer, type Question } from '@postern/schemas';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { granted, joined, keyed, related, role, routes, say, schema } from './trial/facts.ts';
import { startTrial } from './trial/gate.ts';

const url = 'https://idp.example.com';
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
const token = (claims: object): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt' })
    .setIssuer(url)
    .setAudience('payroll')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);

const object = { type: 'employee', parameter: 'id', permission: 'view' };
const facts = [
  schema(gateSchema),
  routes(
    'payroll',
    '/payroll',
    { id: 'payroll/get', method: 'GET', template: '/employees/{id}', objects: [object] },
    { id: 'payroll/runs', method: 'GET', template: '/runs', scopes: ['runs.read', 'payroll'] },
    { id: 'payroll/list', method: 'GET', template: '/employees' },
  ),
  role('payroll-reader', { service: 'payroll', access: 'read' }),
  role('opener', { object: 'employee:*', permission: 'view' }),
  role('runner', { endpoint: 'payroll/runs' }),
  ...['user:ann', 'user:bob', 'user:agent', 'user:broker', 'user:cyd'].map(joined),
  ...['user:ann', 'user:bob', 'user:agent', 'user:broker'].map((who) => granted(who, 'payroll-reader').issued),
  granted('user:broker', 'opener').issued,
  related('employee:42', 'manager', 'user:ann').related,
  related('employee:42', 'manager', 'user:agent').related,
  related('employee:43', 'manager', 'user:agent').related,
  keyed('credential:k1', 'user:ann', 'psk_1'),
  granted('credential:k1', 'payroll-reader').issued,
  granted('credential:k1', 'opener').issued,
];
const start = (
  log: EventLog,
  issuer: object = {},
  countryOf = (_ip: string): string | undefined => undefined,
  observed: Readonly<Record<string, string>> = {},
) =>
  startTrial(log, facts, {
    config: {
      observed,
      issuers: [Issuer.parse({ issuer: url, audience: ['payroll'], jwks: `${url}/keys`, ...issuer })],
    },
    deps: { readIssuerDocument: async () => ({ keys: [jwk] }), countryOf },
  });
type Gate = Awaited<ReturnType<typeof start>>;
const get = async (gate: Gate, path: string, claims: object) =>
  gate.get(path, { authorization: `Bearer ${await token(claims)}` });
const statuses = async (gate: Gate, claims: object, ...paths: string[]) =>
  Promise.all(paths.map(async (path) => (await get(gate, path, claims)).status));

test('an object is asked for with its endpoint, by its one name, and written down with the decision', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await start(log);
  const ann = { sub: 'ann' };
  const paths = ['/payroll/employees/42', '/payroll/employees/43', '/payroll/employees'];
  assert.deepEqual(await statuses(gate, ann, ...paths), [200, 403, 200]);
  assert.deepEqual(await statuses(gate, ann, ...paths), [200, 403, 200], 'as kept');
  assert.equal((await gate.get('/payroll/employees/42', { 'x-api-key': 'psk_1' })).status, 200);
  assert.equal((await gate.get('/payroll/employees/43', { 'x-api-key': 'psk_1' })).status, 403, 'the key may, ann not');
  const refusal = (await (await get(gate, '/payroll/employees/43', ann)).json()) as { objects?: unknown };
  assert.deepEqual(refusal.objects, ['employee:43#view']);
  // Ann holds a role that opens the endpoint: it is the object that is missing, and no role of the endpoint's would help.
  assert.partialDeepStrictEqual(refusal, {
    missing: [{ object: 'employee:43#view', relations: ['self_service', 'manager', 'reader'], roles: ['opener'] }],
  } as never);
  assert.equal('needed' in refusal, false);
  const stranger = (await (await get(gate, '/payroll/employees/43', { sub: 'cyd' })).json()) as object;
  assert.partialDeepStrictEqual(stranger, { needed: ['payroll-reader'] } as never);
  assert.equal('missing' in stranger, false);
  for (const unsafe of ['%34%32', 'cafe%CC%81', '42%2F', `${'a'.repeat(600)}`])
    assert.deepEqual(await statuses(gate, ann, `/payroll/employees/${unsafe}`), [400], unsafe);
  const { unrelated } = related('employee:42', 'manager', 'user:ann');
  await gate.tell(unrelated);
  assert.deepEqual(await statuses(gate, ann, ...paths), [403, 403, 200]);
  const recorded = (await gate.decisions(15)).find(({ path }) => path === '/payroll/employees/43');
  assert.deepEqual(recorded?.objects, ['employee:43#view']);
  assert.equal(
    gate.upstream.seen.every(({ url }) => url !== '/employees/43'),
    true,
  );
});

test('a delegated token needs all scopes of its endpoint, and is told them as RFC 6750 says', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await start(log);
  const asks = async (claims: object) => (await get(gate, '/payroll/runs', { sub: 'ann', ...claims })).status;
  assert.equal(await asks({}), 200, 'a token without the claim is not delegated');
  assert.equal(await asks({ scope: 'payroll runs.read more' }), 200);
  assert.equal(await asks({ scp: ['payroll', 'runs.read'] }), 200);
  for (const claims of [
    { scope: 'payroll' },
    { scope: 'payroll runs.read.all' },
    { scope: '' },
    { scp: [] },
    { scope: 17 },
    { scope: 'payroll runs.read', scp: ['payroll'] },
  ])
    assert.equal(await asks(claims), 403, JSON.stringify(claims));
  const refused = await get(gate, '/payroll/runs', { sub: 'ann', scope: 'payroll' });
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", scope="runs.read payroll"');
  assert.equal(
    (await get(gate, '/payroll/runs', { sub: 'eve', scope: 'payroll' })).headers.get('www-authenticate'),
    null,
  );
  const told = await gate.decisions(11);
  assert.deepEqual(
    told
      .filter(({ reason }) => reason === 'scope-missing')
      .map(({ outcome, refusedWith }) => [outcome, refusedWith])[0],
    ['deny', 403],
  );
  assert.deepEqual(
    told.slice(0, 3).map(({ scopes }) => scopes),
    [undefined, ['more', 'payroll', 'runs.read'], ['payroll', 'runs.read']],
    'what was delegated is written down, so that a preview can ask again',
  );
  assert.deepEqual(await statuses(gate, { sub: 'ann', scope: 'other' }, '/payroll/employees'), [200], 'asks for none');
});

test('where a service is only observed, a missing scope and an object out of reach pass as observed, and an unsafe object does not', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await start(log, {}, undefined, { payroll: '2999-01-01T00:00:00Z' });
  const runs = await get(gate, '/payroll/runs', { sub: 'ann', scope: 'payroll' });
  assert.deepEqual([runs.status, runs.headers.get('postern-observed')], [200, 'would-refuse']);
  assert.deepEqual(await statuses(gate, { sub: 'ann' }, '/payroll/employees/43'), [200]);
  assert.deepEqual(await statuses(gate, { sub: 'ann' }, '/payroll/employees/%34%32'), [400]);
  const told = await gate.decisions(3);
  assert.deepEqual(
    told.map(({ outcome, observed }) => [outcome, observed]),
    [
      ['allow', 'scope-missing'],
      ['allow', 'no-grant'],
      ['deny', undefined],
    ],
  );
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  };
  const stream = await get(gate, '/payroll/runs', { sub: 'ann', scope: 'payroll' });
  const reader = stream.body?.getReader();
  await reader?.read();
  await gate.tell(say('postern.role.retired.v1', { role: 'opener' }));
  assert.equal(
    (await Promise.race([reader?.read(), new Promise((go) => setTimeout(go, 50, 'open'))])) as unknown,
    'open',
  );
  gate.proxy.configureObserved({});
  await gate.tell(say('postern.role.retired.v1', { role: 'runner' }));
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  });
});

test('an issuer names its own claim, and may say that a token without it was delegated nothing', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await start(log, { scopes: { claim: 'permissions', required: true } });
  const asks = async (claims: object) => (await get(gate, '/payroll/runs', { sub: 'ann', ...claims })).status;
  assert.equal(await asks({}), 403);
  assert.equal(await asks({ scope: 'payroll runs.read' }), 403);
  assert.equal(await asks({ permissions: ['payroll', 'runs.read'] }), 200);
});

test('conditions hear of the token and of the country of the address, spelled by the gate', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await start(log, {}, (ip) => (ip === '127.0.0.1' ? 'DE' : undefined));
  const last = (): Question['context'] | undefined => gate.point.asked.at(-1)?.context;
  await get(gate, '/payroll/employees', { sub: 'ann', acr: 'gold', amr: ['pin', 'hwk', 'pin'] });
  assert.partialDeepStrictEqual(last(), { country: 'DE', acr: 'gold', amr: ['hwk', 'pin'] });
  await get(gate, '/payroll/employees', { sub: 'bob', acr: 7, amr: 'hwk' });
  assert.deepEqual([last()?.acr, last()?.amr], [undefined, undefined]);
  assert.equal((await gate.decisions(2))[0]?.country, 'DE');
});

test('no delegated caller is ever let through to what its owner may not, nested or not, kept or not', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await start(log);
  const owners = ['ann', 'bob', 'agent', 'broker'];
  const paths = ['/payroll/employees', '/payroll/employees/42', '/payroll/employees/43', '/payroll/runs'];
  const own = new Map<string, boolean>();
  for (const sub of owners)
    for (const [at, status] of (await statuses(gate, { sub }, ...paths)).entries())
      own.set(`${sub} ${paths[at]}`, status === 200);
  let allowed = 0;
  const person = fc.constantFrom(...owners);
  await fc.assert(
    fc.asyncProperty(
      person,
      fc.array(person, { minLength: 0, maxLength: 2 }),
      fc.constantFrom(undefined, '', 'payroll', 'payroll runs.read'),
      fc.constantFrom(...paths),
      async (sub, actors, scope, path) => {
        const act = actors.reduceRight<object | undefined>(
          (inner, each) => ({ sub: each, ...(inner && { act: inner }) }),
          undefined,
        );
        const { status } = await get(gate, path, { sub, ...(act && { act }), ...(scope !== undefined && { scope }) });
        const every = [sub, ...actors].every((each) => own.get(`${each} ${path}`));
        const scoped = path !== '/payroll/runs' || scope === undefined || scope === 'payroll runs.read';
        assert.equal(status, every && scoped ? 200 : 403, `${sub} ${actors} ${scope} ${path}`);
        if (status === 200 && actors.length > 0) allowed++;
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(allowed > 5, `${allowed} allowed`);
});
