/** SCIM over the room's own HTTP, on a log and a store in memory: what a client asks for, what it is answered, and which facts come of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import { assertionKeys, silentLogger, systemClock } from '@postern/runtime';
import {
  beginning,
  type Fact,
  type LoggedFact,
  Organisation,
  RoleName,
  RoleRules,
  relationshipText,
} from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import fc from 'fast-check';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { grantsService } from '../app.ts';
import { enterpriseUrn } from './definitions.ts';
import type { ScimConfig } from './people.ts';

type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, unknown>;
};

const scimRoom = async (config: Partial<ScimConfig> = {}) => {
  const log = await openEventLog('memory:');
  const profiles = await openProfileStore('memory:');
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const beat = {
    instance: 'p',
    state: 'serving',
    enforces: 1_000_000,
    leaseMs: 60_000,
    at: new Date().toISOString(),
    jwk: { ...jwk, kid },
  };
  await log.enforcement.publish([{ key: 'p', bytes: new TextEncoder().encode(JSON.stringify(beat)) }]);
  const keys = assertionKeys({ heartbeats: log.enforcement, clock: systemClock, log: silentLogger });
  await keys.start();
  const room = grantsService(
    {
      eventLog: log,
      openFeed: () => Promise.reject(new Error('there are no feeds here')),
      profiles,
      sealed: await openSealedStore('memory:'),
      keys,
      clock: systemClock,
      telemetry: noTelemetry,
      log: silentLogger,
      checkSchema: async () => {},
    },
    {
      model: {
        schema: 'definition user {}\n',
        services: [],
        roles: new Map([
          [
            RoleName.parse('finance-reader'),
            RoleRules.parse({
              allows: [{ service: 'payroll', access: 'read' }],
              birthright: { department: 'finance' },
            }),
          ],
        ]),
      },
      enforceTimeoutMs: 300,
      administratorKey: { keep: async (make) => make(), discard: async () => {}, issued: () => {} },
      scim: { principal: 'externalId', group: 'externalId', ...config },
    },
  );
  await room.start();
  const assertion = await new SignJWT({ endpoint: 'postern/x', sub: 'user:admin', credential: 'credential:idp' })
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'postern-assertion+jwt' })
    .setIssuer('postern')
    .setAudience('postern')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  const call = async (
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const answer = await room.http.inject({
      method: method as 'GET',
      url: `/.postern/scim/v2${url}`,
      headers: {
        'postern-assertion': assertion,
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'gate.test',
        ...(body !== undefined && { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: answer.statusCode,
      body: answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>),
      headers: answer.headers,
    };
  };
  const facts = async (): Promise<(LoggedFact & { fact: Fact })[]> => {
    const all: (LoggedFact & { fact: Fact })[] = [];
    const over = new AbortController();
    for await (const { entries, atHead } of log.facts.follow(beginning, { signal: over.signal })) {
      for (const entry of entries) if (entry.fact) all.push({ ...entry, fact: entry.fact });
      if (atHead) over.abort();
    }
    return all;
  };
  return {
    call,
    facts,
    event: (type: string, subject: string, data: object) =>
      room.http.inject({
        method: 'POST',
        url: '/.postern/events',
        headers: { 'postern-assertion': assertion, 'content-type': 'application/cloudevents+json' },
        payload: JSON.stringify({
          specversion: '1.0',
          id: Math.random().toString(),
          source: '/hr',
          type,
          subject,
          data,
        }),
      }),
    put: (url: string, payload: object) =>
      room.http.inject({ method: 'PUT', url: `/.postern${url}`, headers: { 'postern-assertion': assertion }, payload }),
    post: (url: string, payload: object) =>
      room.http.inject({
        method: 'POST',
        url: `/.postern${url}`,
        headers: { 'postern-assertion': assertion },
        payload,
      }),
    /** Facts of people and groups, by their short names, behind a sequence. */
    told: async (behind = 0) =>
      (await facts())
        .filter(
          ({ sequence, fact }) =>
            sequence > behind && fact.authid === 'user:admin' && /principal|group|grant/.test(fact.type),
        )
        .map(({ fact }) => `${fact.type.replace(/^postern\.|\.v1$/g, '')} ${fact.subject}`),
    head: () => log.facts.head(),
    organisation: async () => {
      const organisation = new Organisation();
      for (const entry of await facts()) organisation.apply(entry);
      return organisation;
    },
    [Symbol.asyncDispose]: async () => {
      await room.stop();
      await keys.stop();
      await profiles[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    },
  };
};

const user = (externalId: string, more: object = {}) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  externalId,
  userName: `${externalId}@corp.test`,
  ...more,
});
const group = (externalId: string, members: readonly string[] = [], more: object = {}) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
  externalId,
  displayName: `Group ${externalId}`,
  members: members.map((value) => ({ value })),
  ...more,
});
const patch = (...Operations: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
const bulk = (...Operations: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
  Operations,
});
const finance = { [enterpriseUrn]: { department: 'finance' } };
const list = (answer: Answer) => (answer.body['Resources'] as { id: string }[]).map(({ id }) => id);
const memberIds = (answer: Answer) => ((answer.body['members'] ?? []) as { value: string }[]).map(({ value }) => value);

describe('SCIM', () => {
  test('whoever is provisioned joins with birthrights, moves and leaves; who comes back has nothing but birthrights', async () => {
    await using room = await scimRoom();
    const created = await room.call('POST', '/Users', user('ann', finance));
    assert.equal(created.status, 201);
    assert.equal(created.headers['location'], 'https://gate.test/.postern/scim/v2/Users/ann');
    await room.call('POST', '/Groups', group('g1', ['ann']));
    let head = await room.head();
    assert.deepEqual(await room.told(), [
      'principal.joined user:ann',
      'grant.issued user:ann',
      'group.changed group:g1',
    ]);
    await room.call(
      'PATCH',
      '/Users/ann',
      patch({ op: 'Replace', path: `${enterpriseUrn}:department`, value: 'legal' }),
    );
    assert.deepEqual(await room.told(head), ['principal.moved user:ann', 'grant.revoked user:ann']);
    head = await room.head();
    const off = await room.call('PATCH', '/Users/ann', patch({ op: 'Replace', path: 'active', value: 'False' }));
    assert.deepEqual([off.status, off.body['active'], off.body['groups']], [200, false, undefined]);
    assert.deepEqual(await room.told(head), ['principal.left user:ann']);
    assert.deepEqual(memberIds(await room.call('GET', '/Groups/g1')), []);
    head = await room.head();
    await room.call('PUT', '/Users/ann', user('ann', { title: 'Clerk', ...finance }));
    assert.deepEqual(await room.told(head), [], 'nobody comes back because a client does not speak of it');
    await room.call('PUT', '/Users/ann', user('ann', { active: true, ...finance }));
    assert.deepEqual(await room.told(head), ['principal.joined user:ann', 'grant.issued user:ann']);
    assert.deepEqual(memberIds(await room.call('GET', '/Groups/g1')), []);
  });

  test('no name, address or number is in any fact', async () => {
    await using room = await scimRoom();
    const secret = { name: { familyName: 'Verysecret' }, phoneNumbers: [{ value: '555-7777' }], displayName: 'Ann V' };
    await room.call('POST', '/Users', user('ann', { ...secret, [enterpriseUrn]: { employeeNumber: '90210' } }));
    await room.call('PATCH', '/Users/ann', patch({ op: 'replace', value: { nickName: 'Annie', active: false } }));
    const text = JSON.stringify(await room.facts());
    for (const each of ['Verysecret', '555-7777', 'Ann V', '90210', 'Annie', 'corp.test'])
      assert.equal(text.includes(each), false, each);
    assert.equal((await room.call('DELETE', '/Users/ann')).status, 204);
    assert.equal((await room.call('GET', '/Users/ann')).status, 404);
  });

  test('a person is known for ever by the mapped id, and by no name or e-mail address', async () => {
    await using room = await scimRoom();
    assert.equal((await room.call('POST', '/Users', user('ann@corp.test'))).body['scimType'], 'invalidValue');
    await room.call('POST', '/Users', user('ann'));
    const renamed = await room.call(
      'PATCH',
      '/Users/ann',
      patch({ op: 'replace', value: { userName: 'ann.lee@corp.test', externalId: 'other' } }),
    );
    assert.deepEqual([renamed.body['id'], renamed.body['userName']], ['ann', 'ann.lee@corp.test']);
    // The address passes to somebody else, who is somebody else.
    const heir = await room.call('POST', '/Users', user('zoe', { userName: 'ANN@corp.test' }));
    assert.deepEqual([heir.status, heir.body['id']], [201, 'zoe']);
    assert.equal((await room.call('POST', '/Users', user('ann', { userName: 'third' }))).status, 409);
    const taken = await room.call('POST', '/Users', user('third', { userName: 'Ann@Corp.test' }));
    assert.deepEqual([taken.status, taken.body['scimType'], taken.body['status']], [409, 'uniqueness', '409']);
    assert.equal((await room.call('PUT', '/Users/zoe', user('zoe', { userName: 'ann.lee@corp.test' }))).status, 409);
    const unnamed = await room.call('POST', '/Users', { schemas: user('x').schemas, userName: 'nobody.knows' });
    assert.match(String(unnamed.body['id']), /^[0-9a-f-]{36}$/);
  });

  test('what another feed says of somebody is what SCIM shows', async () => {
    await using room = await scimRoom();
    await room.event('postern.person.joined.v1', 'user:ann', { department: 'legal' });
    assert.equal((await room.call('GET', '/Users/ann')).status, 404);
    const adopted = await room.call('POST', '/Users', user('ann', { active: true, ...finance }));
    assert.equal(adopted.status, 201);
    await room.event('postern.person.moved.v1', 'user:ann', { department: 'sales' });
    assert.deepEqual((await room.call('GET', '/Users/ann')).body[enterpriseUrn], { department: 'sales' });
    await room.event('postern.person.left.v1', 'user:ann', {});
    assert.equal((await room.call('GET', '/Users/ann')).body['active'], false);
  });

  test('groups take people and groups, never a circle, and no one who has left', async () => {
    await using room = await scimRoom();
    for (const id of ['a', 'b']) await room.call('POST', '/Users', user(id));
    await room.call('POST', '/Users', user('gone', { active: false }));
    assert.deepEqual(memberIds(await room.call('POST', '/Groups', group('in', ['a', 'gone']))), ['a']);
    assert.deepEqual(memberIds(await room.call('POST', '/Groups', group('out', ['in', 'b']))), ['in', 'b']);
    const seen = (await room.call('GET', '/Users/a')).body['groups'] as { value: string; type: string }[];
    assert.deepEqual(
      seen.map(({ value, type }) => [value, type]),
      [
        ['in', 'direct'],
        ['out', 'indirect'],
      ],
    );
    for (const members of [['out'], ['nobody']]) {
      const refused = await room.call(
        'PATCH',
        '/Groups/in',
        patch({ op: 'add', path: 'members', value: members.map((value) => ({ value })) }),
      );
      assert.deepEqual([refused.status, refused.body['scimType']], [400, 'invalidValue'], String(members));
    }
    const one = await room.call(
      'PATCH',
      '/Groups/out',
      patch(
        { op: 'Add', path: 'members', value: [{ value: 'a' }] },
        { op: 'Remove', path: 'members[value eq "b"]' },
        { op: 'Replace', path: 'displayName', value: 'Renamed' },
      ),
    );
    assert.deepEqual([memberIds(one), one.body['displayName'], one.body['id']], [['in', 'a'], 'Renamed', 'out']);
    assert.equal((await room.call('DELETE', '/Groups/in')).status, 204);
    assert.deepEqual(memberIds(await room.call('GET', '/Groups/out')), ['a']);
  });

  test('a refused change leaves the resource as it was', async () => {
    await using room = await scimRoom();
    await room.call('POST', '/Groups', group('g'));
    const before = await room.call('GET', '/Groups/g');
    const refused = await room.call('PUT', '/Groups/g', group('g', ['nobody'], { displayName: 'New' }));
    assert.equal(refused.status, 400);
    const circle = await room.call(
      'PATCH',
      '/Groups/g',
      patch({ op: 'replace', value: { displayName: 'New', members: [{ value: 'g' }] } }),
    );
    assert.equal(circle.status, 400);
    assert.deepEqual((await room.call('GET', '/Groups/g')).body['displayName'], before.body['displayName']);
    assert.equal((await room.call('POST', '/Groups', group('h', ['nobody']))).status, 400);
    assert.equal((await room.call('GET', '/Groups/h')).status, 404);
  });

  test('of two writers who read the same version one is told 412, and the other’s change stands', async () => {
    await using room = await scimRoom();
    await room.call('POST', '/Users', user('ann', { active: true }));
    const { headers } = await room.call('GET', '/Users/ann');
    const tag = String(headers['etag']);
    assert.match(tag, /^W\/"/);
    const by = (title: string) =>
      room.call('PATCH', '/Users/ann', patch({ op: 'replace', path: 'title', value: title }), { 'if-match': tag });
    const answers = await Promise.all([by('x'), by('y')]);
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 412]);
    const won = answers.find(({ status }) => status === 200);
    const now = await room.call('GET', '/Users/ann');
    assert.equal(now.body['title'], won?.body['title']);
    assert.equal(now.headers['etag'], won?.headers['etag']);
    assert.equal(
      (await room.call('GET', '/Users/ann', undefined, { 'if-none-match': String(now.headers['etag']) })).status,
      304,
    );
    assert.equal((await room.call('DELETE', '/Users/ann', undefined, { 'if-match': tag })).status, 412);
    assert.equal((await room.call('DELETE', '/Users/ann', undefined, { 'if-match': '*' })).status, 204);
    // A fact of another feed makes another version as well.
    await room.call('POST', '/Users', user('bob', { active: true }));
    const bob = String((await room.call('GET', '/Users/bob')).headers['etag']);
    await room.event('postern.person.moved.v1', 'user:bob', { title: 'Boss' });
    assert.equal((await room.call('PUT', '/Users/bob', user('bob'), { 'if-match': bob })).status, 412);
  });

  test('lists are filtered, sorted, cut to the attributes asked for, and paged both ways', async () => {
    await using room = await scimRoom();
    for (const [at, id] of ['e', 'c', 'a', 'd', 'b'].entries())
      await room.call('POST', '/Users', user(id, { title: `t${at % 2}`, active: true }));
    const get = (query: string) => room.call('GET', `/Users?${query}`);
    assert.deepEqual(list(await get('startIndex=2&count=2')), ['b', 'c']);
    assert.deepEqual(list(await get('sortBy=userName&sortOrder=descending&count=3')), ['e', 'd', 'c']);
    assert.deepEqual(list(await get(`filter=${encodeURIComponent('title eq "T1" and not (userName sw "c")')}`)), ['d']);
    assert.deepEqual(list(await get(`filter=${encodeURIComponent('userName eq "B@CORP.test"')}`)), ['b']);
    const counted = await get('count=0');
    assert.deepEqual([counted.body['totalResults'], counted.body['Resources']], [5, []]);
    const seen: string[] = [];
    for (let cursor: unknown = ''; typeof cursor === 'string'; ) {
      const page = await get(`cursor=${cursor}&count=2`);
      seen.push(...list(page));
      cursor = page.body['nextCursor'];
    }
    assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e']);
    assert.equal((await get('cursor=abc')).body['scimType'], 'invalidCursor');
    assert.equal((await get('filter=userName')).body['scimType'], 'invalidFilter');
    const [some] = (await get('attributes=title,emails.value&count=1')).body['Resources'] as object[];
    assert.deepEqual(Object.keys(some ?? {}).toSorted(), ['id', 'schemas', 'title']);
    const without = await room.call('GET', '/Users/a?excludedAttributes=title,id,meta.location');
    assert.deepEqual(
      ['title' in without.body, 'id' in without.body, 'location' in (without.body['meta'] as object)],
      [false, true, false],
    );
    const search = await room.call('POST', '/.search', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      filter: 'meta.resourceType eq "User"',
      count: 2,
    });
    assert.deepEqual([search.body['totalResults'], list(search)], [5, ['a', 'b']]);
  });

  test('a Bulk finds what it makes by bulkId, forwards and in circles of managers; a circle of groups is refused', async () => {
    await using room = await scimRoom();
    const manager = (bulkId: string) => ({ [enterpriseUrn]: { manager: { value: `bulkId:${bulkId}` } } });
    const answer = await room.call(
      'POST',
      '/Bulk',
      bulk(
        { method: 'POST', path: '/Groups', bulkId: 'outer', data: group('outer', ['bulkId:inner', 'bulkId:x']) },
        { method: 'post', path: '/Users', bulkId: 'x', data: { ...user('x', manager('y')), externalId: undefined } },
        { method: 'POST', path: '/Users', bulkId: 'y', data: user('y', manager('x')) },
        { method: 'POST', path: '/Groups', bulkId: 'inner', data: group('inner', ['bulkId:y']) },
        { method: 'POST', path: '/Users', bulkId: 'bad', data: { schemas: user('q').schemas } },
        { method: 'POST', path: '/Groups', bulkId: 'lacks', data: group('lacks', ['bulkId:bad']) },
        { method: 'POST', path: '/Groups', bulkId: 'c1', data: group('c1', ['bulkId:c2']) },
        { method: 'POST', path: '/Groups', bulkId: 'c2', data: group('c2', ['bulkId:c1']) },
        { method: 'PATCH', path: '/Users/y', data: patch({ op: 'add', path: 'title', value: 'Boss' }) },
        { method: 'DELETE', path: '/Users/nobody' },
      ),
    );
    const results = answer.body['Operations'] as { status: string; location?: string; bulkId?: string }[];
    assert.deepEqual(
      results.map(({ status }) => status),
      ['201', '201', '201', '201', '400', '400', '400', '400', '200', '404'],
    );
    const x = results[1]?.location?.split('/').at(-1) ?? '';
    const y = await room.call('GET', '/Users/y');
    assert.equal((y.body[enterpriseUrn] as { manager: { value: string } }).manager.value, x);
    assert.equal(y.body['title'], 'Boss');
    assert.deepEqual(memberIds(await room.call('GET', '/Groups/outer')).toSorted(), ['inner', x].toSorted());
    const stopped = await room.call('POST', '/Bulk', {
      ...bulk({ method: 'DELETE', path: '/Users/no1' }, { method: 'DELETE', path: '/Users/y' }),
      failOnErrors: 1,
    });
    assert.equal((stopped.body['Operations'] as object[]).length, 1);
    assert.equal((await room.call('GET', '/Users/y')).status, 200);
  });

  test('of two groups in one Bulk that no one may be in together, the second is refused', async () => {
    await using room = await scimRoom();
    await room.put('/roles/payer', { allows: [{ service: 'payroll', access: 'read' }], separateFrom: ['approver'] });
    await room.put('/roles/approver', { allows: [{ service: 'payroll', access: 'write' }] });
    await room.call('POST', '/Users', user('ann', { active: true }));
    for (const [id, role] of [
      ['g1', 'payer'],
      ['g2', 'approver'],
    ] as const) {
      await room.call('POST', '/Groups', group(id));
      await room.post('/grants', { subject: `group:${id}#member`, role, reason: 'test' });
    }
    const joins = (id: string) => ({
      method: 'PATCH',
      path: `/Groups/${id}`,
      data: patch({ op: 'add', path: 'members', value: [{ value: 'ann' }] }),
    });
    const answer = await room.call('POST', '/Bulk', bulk(joins('g1'), joins('g2')));
    const statuses = (answer.body['Operations'] as { status: string }[]).map(({ status }) => status);
    assert.deepEqual(statuses, ['200', '409']);
  });

  test('the same again changes nothing and writes no fact', async () => {
    await using room = await scimRoom();
    const everybody = ['a', 'b', 'c'].map((id) => user(id, { active: true, ...finance }));
    for (const each of everybody) await room.call('POST', '/Users', each);
    await room.call('POST', '/Groups', group('g', ['a', 'b']));
    const tag = (await room.call('GET', '/Users/a')).headers['etag'];
    const head = await room.head();
    await room.call(
      'POST',
      '/Bulk',
      bulk(
        ...everybody.map((data) => ({ method: 'PUT', path: `/Users/${data.externalId}`, data })),
        { method: 'PUT', path: '/Groups/g', data: group('g', ['b', 'a']) },
        { method: 'PATCH', path: '/Groups/g', data: patch({ op: 'add', path: 'members', value: [{ value: 'a' }] }) },
      ),
    );
    assert.equal(await room.head(), head);
    assert.equal((await room.call('GET', '/Users/a')).headers['etag'], tag);
  });

  test('clients hear of their mistakes in SCIM’s own words', async () => {
    await using room = await scimRoom();
    for (const [method, url, status] of [
      ['GET', '/Nothing', 404],
      ['DELETE', '/Users', 405],
      ['PUT', '/Schemas', 405],
      ['GET', '/Me', 501],
      ['GET', '/Schemas/urn:none', 404],
      ['GET', '/Schemas?filter=id%20pr', 403],
    ] as const) {
      const { body, ...answer } = await room.call(method, url);
      assert.deepEqual(
        [answer.status, body['status'], body['schemas']],
        [status, String(status), ['urn:ietf:params:scim:api:messages:2.0:Error']],
        url,
      );
      assert.match(String(answer.headers['content-type']), /^application\/scim\+json/);
    }
    const broken = await room.call('POST', '/Users', '{"userName":');
    assert.deepEqual([broken.status, broken.body['scimType']], [400, 'invalidSyntax']);
  });

  test('random histories told by PUT and by PATCH end in the same organisation', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    const step = fc.oneof(
      fc.record({
        what: fc.constant('user' as const),
        id: fc.constantFrom(...ids),
        active: fc.boolean(),
        department: fc.constantFrom('finance', 'legal', undefined),
      }),
      fc.record({ what: fc.constant('group' as const), id: fc.constantFrom('g1', 'g2'), members: fc.subarray(ids) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (history) => {
        await using byPut = await scimRoom();
        await using byPatch = await scimRoom();
        for (const room of [byPut, byPatch]) {
          for (const id of ids) await room.call('POST', '/Users', user(id, { active: true }));
          for (const id of ['g1', 'g2']) await room.call('POST', '/Groups', group(id));
        }
        for (const each of history) {
          if (each.what === 'user') {
            const { id, active, department } = each;
            await byPut.call(
              'PUT',
              `/Users/${id}`,
              user(id, { active, ...(department && { [enterpriseUrn]: { department } }) }),
            );
            const path = `${enterpriseUrn}:department`;
            await byPatch.call(
              'PATCH',
              `/Users/${id}`,
              patch(
                { op: 'Replace', value: { active: active ? 'True' : 'False' } },
                department === undefined ? { op: 'Remove', path } : { op: 'Add', path, value: department },
              ),
            );
          } else {
            const { id, members } = each;
            await byPut.call('PUT', `/Groups/${id}`, group(id, members));
            await byPatch.call(
              'PATCH',
              `/Groups/${id}`,
              patch(
                ...ids
                  .filter((other) => !members.includes(other))
                  .map((value) => ({ op: 'remove', path: `members[value eq "${value}"]` })),
                { op: 'add', path: 'members', value: members.map((value) => ({ value })) },
              ),
            );
          }
        }
        const [put, patched] = [await byPut.organisation(), await byPatch.organisation()];
        const states = (organisation: Organisation) =>
          [...organisation.principals.values()]
            .map(({ id, state, attributes }) => [id, state, attributes])
            .filter(([, state]) => state === 'active');
        assert.deepEqual(states(patched), states(put));
        const graph = (organisation: Organisation) =>
          [...organisation.relationships()]
            .map(relationshipText)
            .filter((text) => !text.includes('credential:'))
            .sort();
        assert.deepEqual(graph(patched), graph(put));
      }),
      { numRuns: 25 },
    );
  });
});
