import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import { assertionKeys, silentLogger, systemClock } from '@postern/runtime';
import { beginning, type Fact, type Heartbeat, isProblem, Problem, RoleName, RoleRules } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type GrantsDeps, grantsService } from './app.ts';

/** A proxy as the log sees it: heartbeats, and the key behind its assertions. */
const testProxy = async (log: EventLog, instance: string) => {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    beat: (enforces: number, state: Heartbeat['state'] = 'serving', leaseMs = 5_000) =>
      log.enforcement.publish([
        {
          key: instance,
          bytes: new TextEncoder().encode(
            JSON.stringify({ instance, state, enforces, leaseMs, at: new Date().toISOString(), jwk: { ...jwk, kid } }),
          ),
        },
      ]),
    assertion: (audience = 'postern') =>
      new SignJWT({ endpoint: 'postern/x', sub: 'user:admin' })
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'postern-assertion+jwt' })
        .setIssuer('postern')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('20s')
        .sign(privateKey),
  };
};

const model = {
  schema: 'definition user {}\n',
  services: [],
  roles: new Map([
    [
      RoleName.parse('payroll-reader'),
      RoleRules.parse({ allows: [{ service: 'payroll', access: 'read' }], birthright: { department: 'finance' } }),
    ],
  ]),
};

/** Takes every schema but one that says so. */
const checkSchema: GrantsDeps['checkSchema'] = async (schema) => {
  if (schema.includes('refuse me')) throw new Problem('authorizer/schema-refused', { detail: 'it says so' });
};

const nothingElse = { feedRules: [], feeds: [], transmitters: [], notices: [] };
describe('the grants room', () => {
  let log: EventLog;
  let proxy: Awaited<ReturnType<typeof testProxy>>;
  let room: ReturnType<typeof grantsService>;
  let key: string | undefined;
  let stopKeys: () => Promise<void>;

  before(async () => {
    log = await openEventLog('memory:');
    proxy = await testProxy(log, 'proxy-1');
    const keys = assertionKeys({ heartbeats: log.enforcement, clock: systemClock, log: silentLogger });
    await keys.start();
    stopKeys = keys.stop;
    room = grantsService(
      {
        eventLog: log,
        openFeed: () => Promise.reject(new Error('there are no feeds here')),
        profiles: await openProfileStore('memory:'),
        sealed: await openSealedStore('memory:'),
        keys,
        clock: systemClock,
        telemetry: noTelemetry,
        log: silentLogger,
        checkSchema,
      },
      {
        model,
        enforceTimeoutMs: 1_000,
        scim: { principal: 'externalId', group: 'externalId' },
        administratorKey: {
          keep: async (make) => make(),
          discard: async () => {},
          issued: (secret) => {
            key = secret;
          },
        },
      },
    );
    await room.start();
    await proxy.beat(1000);
  });
  after(async () => {
    await room.stop();
    await stopKeys();
    await log[Symbol.asyncDispose]();
  });

  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const answer = await room.http.inject({
      method,
      url: `/.postern${url}`,
      headers: {
        'postern-assertion': await proxy.assertion(),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: answer.json() as Record<string, unknown> & { type?: string } };
  };
  const event = (id: string, type: string, subject: string, data: object = {}, query = '') =>
    call(
      'POST',
      `/events${query}`,
      { specversion: '1.0', id, source: '/hr', type: `postern.${type}.v1`, subject, data },
      { 'content-type': 'application/cloudevents+json' },
    );
  const facts = async (): Promise<Fact[]> => {
    const found: Fact[] = [];
    for await (const { entries, atHead } of log.facts.follow(beginning, { signal: AbortSignal.timeout(5_000) })) {
      found.push(...entries.flatMap(({ fact }) => fact ?? []));
      if (atHead) break;
    }
    return found;
  };

  test('the first start makes one administrator and shows its key once', () => {
    assert.match(key ?? '', /^psk_[A-Za-z0-9_-]{43}$/);
  });

  test("a request without the gate's assertion is refused, and so is a forged one", async () => {
    const none = await room.http.inject({ url: '/.postern/grants' });
    assert.equal(none.statusCode, 401);
    const stranger = await testProxy(await openEventLog('memory:'), 'stranger');
    const forged = await room.http.inject({
      url: '/.postern/grants',
      headers: { 'postern-assertion': await stranger.assertion() },
    });
    assert.equal(forged.statusCode, 401);
    const elsewhere = await room.http.inject({
      url: '/.postern/grants',
      headers: { 'postern-assertion': await proxy.assertion('payroll') },
    });
    assert.equal(elsewhere.statusCode, 401);
  });

  test('a repeated event answers as the first did, and another under the same id is a conflict', async () => {
    const first = await event('e-1', 'person.joined', 'user:alice', { department: 'finance' });
    assert.deepEqual([first.status, first.body['repeated'], first.body['facts']], [202, false, 2]);
    const again = await event('e-1', 'person.joined', 'user:alice', { department: 'finance' });
    assert.deepEqual(
      [again.status, again.body['repeated'], again.body['sequence']],
      [202, true, first.body['sequence']],
    );
    const other = await event('e-1', 'person.joined', 'user:bob');
    assert.deepEqual([other.status, other.body.type], [409, 'urn:postern:problem:grants/event-conflict']);
  });

  test('malformed, unknown and impossible events change nothing and say why', async () => {
    const before = await facts();
    for (const [answer, status, code] of [
      [await event('e-2', 'person.danced', 'user:alice'), 422, 'grants/unknown-event-type'],
      [await event('e-3', 'person.left', 'user:nobody'), 422, 'grants/unknown-principal'],
      [await event('e-4', 'person.joined', 'alice'), 400, 'grants/bad-event'],
      [await call('POST', '/events', '{', { 'content-type': 'application/cloudevents+json' }), 400, 'grants/bad-event'],
      [await call('POST', '/grants', { subject: 'user:alice', role: 'nope', reason: 'x' }), 422, 'grants/unknown-role'],
      [await call('POST', '/grants', { subject: 'user:alice', role: 'payroll-reader' }), 400, 'runtime/bad-request'],
      [
        await call('POST', '/grants', {
          subject: 'user:alice',
          role: 'payroll-reader',
          reason: 'x',
          conditions: { cidrs: ['10/8'] },
        }),
        400,
        'runtime/bad-request',
      ],
      [await call('GET', '/nowhere'), 404, 'runtime/not-found'],
    ] as const)
      assert.deepEqual([answer.status, answer.body.type], [status, `urn:postern:problem:${code}`]);
    // What was sent as an event is kept; everything else leaves nothing.
    assert.deepEqual(
      (await facts()).slice(before.length).map(({ type, data }) => [type, 'event' in data ? data.event : undefined]),
      [...['e-2', 'e-3', 'e-4'].map((id) => ({ source: '/hr', id })), undefined].map((event) => [
        'postern.event.quarantined.v1',
        event,
      ]),
    );
  });

  test('a batch says for each event whether it stands', async () => {
    const answer = await call(
      'POST',
      '/events',
      [
        { specversion: '1.0', id: 'b-1', source: '/hr', type: 'postern.person.joined.v1', subject: 'user:carol' },
        { specversion: '1.0', id: 'b-2', source: '/hr', type: 'postern.person.left.v1', subject: 'user:nobody' },
      ],
      { 'content-type': 'application/cloudevents-batch+json' },
    );
    assert.equal(answer.status, 207, JSON.stringify(answer.body));
    assert.deepEqual([answer.body['accepted'], answer.body['refused']], [1, 1]);
  });

  test('the same Idempotency-Key gives one grant', async () => {
    const body = { subject: 'user:alice', role: 'payroll-reader', reason: 'cover' };
    const first = await call('POST', '/grants', body, { 'idempotency-key': 'k-1' });
    const again = await call('POST', '/grants', body, { 'idempotency-key': 'k-1' });
    assert.deepEqual([first.status, again.status, again.body['id']], [201, 201, first.body['id']]);
    const other = await call('POST', '/grants', { ...body, reason: 'other' }, { 'idempotency-key': 'k-1' });
    assert.equal(other.body.type, 'urn:postern:problem:grants/idempotency-conflict');
  });

  test('wait=enforced answers only when every live proxy has reached the change', async () => {
    await proxy.beat(0);
    const behind = await event('w-1', 'person.joined', 'user:dora', {}, '?wait=enforced');
    assert.deepEqual(
      [behind.status, behind.body.type, behind.body['enforced']],
      [504, 'urn:postern:problem:grants/not-enforced-yet', false],
    );
    assert.match(String(behind.body['detail']), /proxy-1/);
    await proxy.beat(10_000);
    const reached = await event('w-2', 'person.left', 'user:dora', {}, '?wait=enforced');
    assert.deepEqual([reached.status, reached.body['enforced'], reached.body['proxies']], [202, true, 1]);
  });

  test('a proxy that falls silent holds the barrier up for its lease, and no longer', async () => {
    const silent = await testProxy(log, 'proxy-silent');
    await silent.beat(0, 'serving', 200);
    const answer = await event('w-3', 'person.joined', 'user:erin', {}, '?wait=enforced');
    assert.deepEqual([answer.status, answer.body['lapsed']], [202, ['proxy-silent']]);
  });

  const published = {
    schema: 'definition user {}\n',
    services: [
      {
        name: 'payroll',
        mount: '/payroll',
        endpoints: [{ id: 'payroll/list', method: 'GET', template: '/employees', access: 'read' }],
      },
    ],
    roles: { 'payroll-auditor': { allows: [{ endpoint: 'payroll/list' }], birthright: { department: 'audit' } } },
    commit: '0123abcd',
    author: 'user:edda',
  };

  test('a publication is one append, with the caller as its actor, and the commit and its author in every fact', async () => {
    await event('p-1', 'person.joined', 'user:otto', { department: 'audit' });
    const before = (await facts()).length;
    const answer = await call('POST', '/model', { ...published, schema: 'definition user {}\ndefinition car {}\n' });
    assert.deepEqual(
      [answer.status, answer.body['schema'], answer.body['services'], answer.body['defined'], answer.body['left']],
      [200, 'changed', ['service:payroll'], ['role:payroll-auditor'], ['payroll-reader']],
    );
    const written = (await facts()).slice(before);
    assert.deepEqual(
      written.map(({ type }) => type),
      ['schema.published', 'routes.published', 'role.defined', 'grant.issued'].map((type) => `postern.${type}.v1`),
    );
    assert.equal(new Set(written.map(({ appendid }) => appendid)).size, 1);
    for (const { authid } of written) assert.equal(authid, 'user:admin');
    for (const { data } of written.slice(0, 3))
      assert.partialDeepStrictEqual(data, { commit: '0123abcd', author: 'user:edda' });
  });

  test('the same publication again writes nothing', async () => {
    const before = (await facts()).length;
    const answer = await call('POST', '/model', { ...published, schema: 'definition user {}\ndefinition car {}\n' });
    assert.deepEqual([answer.status, answer.body['facts']], [200, 0]);
    assert.equal((await facts()).length, before);
  });

  test('a schema that the engine refuses never becomes a fact, and nothing that came with it either', async () => {
    const before = (await facts()).length;
    const roles = { 'other-role': { allows: [{ endpoint: 'payroll/list' }] } };
    const answer = await call('POST', '/model', { ...published, schema: 'refuse me', roles });
    assert.deepEqual([answer.status, answer.body.type], [422, 'urn:postern:problem:authorizer/schema-refused']);
    assert.equal((await facts()).length, before);
    await assert.rejects(
      room.reconfigure({ ...nothingElse, model: { schema: 'refuse me', services: [], roles: new Map() } }),
      (error) => isProblem(error, 'authorizer/schema-refused'),
    );
    assert.equal((await facts()).length, before);
  });

  test('a publication that is larger than one append is refused whole, with what to do', async () => {
    const before = (await facts()).length;
    const rules = { description: 'x'.repeat(500), allows: [{ endpoint: 'payroll/list' }] };
    const roles = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`role-${at}`, rules]));
    const answer = await call('POST', '/model', { ...published, roles });
    assert.deepEqual([answer.status, answer.body.type], [413, 'urn:postern:problem:grants/fact-too-large']);
    assert.match(String(answer.body['fix']), /first/);
    assert.equal((await facts()).length, before);
  });

  test('a role that the files no longer define is listed, and retired only where that is asked for; others are left alone', async () => {
    await call('PUT', '/roles/made-by-hand', { allows: [{ endpoint: 'payroll/list' }] });
    const listed = await call('POST', '/model', published);
    assert.deepEqual([listed.body['retired'], listed.body['left']], [[], ['payroll-reader']]);
    const retired = await call('POST', '/model', { ...published, retireRoles: true });
    assert.deepEqual([retired.body['retired'], retired.body['left']], [['role:payroll-reader'], undefined]);
    assert.equal((await call('GET', '/roles/made-by-hand')).status, 200);
  });

  test('taking access away leaves the fact of its enforcement', async () => {
    const left = await event('w-4', 'person.left', 'user:erin', {}, '?wait=enforced');
    for (let tries = 0; tries < 100; tries++) {
      const reached = (await facts()).filter((fact) => fact.type === 'postern.enforcement.reached.v1');
      if (reached.some(({ data }) => data.reached >= Number(left.body['sequence']))) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail('no enforcement.reached fact came');
  });
});
