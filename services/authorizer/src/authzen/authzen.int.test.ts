/** AuthZEN 1.0's certification scenario: its fixture's eight decisions, its searches, and how the API behaves around them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import type { Relationships } from '@postern/relationships';
import { openRelationships } from '@postern/relationships/open';
import { authzenConfiguration, gateSchema } from '@postern/schemas';
import { facts, type Room, room } from '../trial/room.ts';

/** What an engineer would publish: object rules over the properties that requests bring. */
const schema = `${gateSchema}
caveat unless_archived(resource_properties map<any>) {
	!has(resource_properties.status) || resource_properties.status != "archived"
}

caveat as_admin(subject_properties map<any>) {
	has(subject_properties.role) && subject_properties.role == "admin"
}

caveat softly(action_properties map<any>) {
	has(action_properties.soft) && action_properties.soft == true
}

definition record {
	relation reader: user
	relation writer: user with unless_archived
	relation archivist: user with as_admin
	relation eraser: user with softly

	permission read: user = reader + writer
	permission write: user = writer + archivist
	permission delete: user = eraser
}
`;
const base = '/.postern/access/v1';
const [alice, bob] = [
  { type: 'user', id: 'alice' },
  { type: 'user', id: 'bob' },
];
const [record1, record2] = [
  { type: 'record', id: 'record-1' },
  { type: 'record', id: 'record-2' },
];
const archived = { ...record2, properties: { status: 'archived' } };
const admin = { ...bob, properties: { role: 'admin' } };
const [read, write] = [{ name: 'read' }, { name: 'write' }];

let log: EventLog;
let engine: Relationships;
let opened: Room;

before(async () => {
  log = await openEventLog('memory:');
  engine = await openRelationships('embedded:');
  opened = await room(log, engine);
  const at = await opened.tell(
    facts.schema(1, schema),
    facts.routes(
      2,
      'todos',
      { id: 'todos/get', method: 'GET', template: '/{todoId}', access: 'read' },
      { id: 'todos/put', method: 'PUT', template: '/{todoId}', access: 'write' },
      { id: 'todos/about', method: 'GET', template: '/about', access: 'read', public: true },
    ),
    facts.role(3, 'reader', { service: 'todos', access: 'read' }),
    facts.grant(4, 'user:rick=40the-citadel=2Ecom', 'reader'),
    facts.grant(5, 'user:far', 'reader', { countries: ['DE'], until: '2026-06-01T00:00:00Z' }),
    facts.key(6, 'credential:k1', 'user:rick=40the-citadel=2Ecom'),
    facts.grant(7, 'credential:k1', 'reader'),
  );
  const [edge, by] = [
    (relation: string, resource: string, subject: string) => ({ resource, relation, subject }),
    (name: string) => ({ caveat: { name } }),
  ];
  await engine.project({
    from: at,
    to: at,
    updates: [
      edge('reader', 'record:record-1', 'user:bob'),
      { ...edge('writer', 'record:record-1', 'user:alice'), ...by('unless_archived') },
      { ...edge('writer', 'record:record-2', 'user:alice'), ...by('unless_archived') },
      { ...edge('archivist', 'record:record-2', 'user:bob'), ...by('as_admin') },
      { ...edge('eraser', 'record:record-1', 'user:alice'), ...by('softly') },
    ].map((relationship) => ({ operation: 'touch', relationship }) as const),
    facts: [],
    actor: 'a test',
  });
  // Decisions rest on a later place than these relationships.
  await opened.tell(facts.joined(8, 'user:late'));
});
after(async () => {
  await opened[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await log[Symbol.asyncDispose]();
});

const evaluate = async (subject: object, action: object, resource: object, rest: object = {}) => {
  const { status, body } = await opened.post(`${base}/evaluation`, { subject, action, resource, ...rest });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { decision: unknown }).decision;
};
const batch = async (body: object) => {
  const reply = await opened.post(`${base}/evaluations`, body);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return (reply.body as { evaluations: { decision: boolean }[] }).evaluations.map(({ decision }) => decision);
};
const search = async (what: string, body: object) => {
  const reply = await opened.post(`${base}/search/${what}`, body);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return (reply.body as { results: unknown[] }).results;
};

test("answers the fixture's eight decisions", async () => {
  assert.equal(await evaluate(alice, read, record1), true);
  assert.equal(await evaluate(alice, write, record1), true);
  assert.equal(await evaluate(bob, read, record1), true);
  assert.equal(await evaluate(bob, write, record1), false);
  assert.equal(await evaluate(alice, write, archived), false);
  assert.equal(await evaluate(admin, write, archived), true);
  assert.equal(await evaluate(alice, { name: 'delete', properties: { soft: true } }, record1), true);
  assert.equal(await evaluate(alice, { name: 'delete', properties: { soft: false } }, record1), false);
});

test('context, further properties and unknown members change nothing', async () => {
  assert.equal(
    await evaluate(alice, read, record1, { context: { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' } }),
    true,
  );
  const manager = { ...alice, properties: { department: 'Sales', role: 'manager' } };
  const rich = { ...record1, properties: { status: 'active', owner: 'bob' } };
  assert.equal(await evaluate(manager, { ...read, properties: { method: 'GET' } }, rich), true);
  assert.equal(await evaluate(alice, read, record1, { foo: 'bar', futureField: { nested: true } }), true);
});

test('a question that cannot be read is a 400', async () => {
  const whole = { subject: alice, action: read, resource: record1 };
  const broken: unknown[] = [
    ...['subject', 'action', 'resource'].map((part) => ({ ...whole, [part]: undefined })),
    { ...whole, subject: { id: 'alice' } },
    { ...whole, subject: { type: 'user' } },
    { ...whole, action: {} },
    { ...whole, resource: { id: 'record-1' } },
    { ...whole, resource: { type: 'record' } },
    { ...whole, subject: 'alice' },
    { ...whole, action: { name: 123 } },
    { ...whole, context: 'here' },
    [],
    '{"subject":',
    '',
    'null',
  ];
  for (const body of broken)
    for (const path of ['evaluation', 'evaluations']) {
      const { status } = await opened.post(`${base}/${path}`, body);
      assert.equal(status, 400, `${path} ${JSON.stringify(body)}`);
    }
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
    const { status } = await opened.post(`${base}/evaluation`, whole, { 'content-type': type });
    assert.equal(status, 400, type);
  }
});

test('X-Request-ID comes back, on answers and on refusals; the answer is JSON', async () => {
  const whole = { subject: alice, action: read, resource: record1 };
  for (const body of [whole, {}]) {
    const { headers } = await opened.post(`${base}/evaluation`, body, { 'x-request-id': 'abc-123' });
    assert.equal(headers['x-request-id'], 'abc-123');
  }
  const { headers } = await opened.post(`${base}/evaluation`, whole);
  assert.equal(headers['x-request-id'], undefined);
  assert.match(String(headers['content-type']), /^application\/json/);
});

test('names that nothing bears are denied, not refused', async () => {
  const spelled = 'Zoe\u0308';
  for (const subject of [
    { type: 'spaceship', id: 'one' },
    { type: 'user', id: spelled },
    { type: 'user', id: '*' },
  ])
    assert.equal(await evaluate(subject, read, record1), false, JSON.stringify(subject));
  assert.equal(await evaluate(alice, { name: 'no such action' }, record1), false);
  assert.equal(await evaluate(alice, read, { type: 'record#', id: 'x' }), false);
  assert.equal(await evaluate(alice, { name: 'any_of' }, record1, { context: { any_of: [{}] } }), false);
});

test('a batch answers in order, each item with the defaults it does not replace', async () => {
  assert.deepEqual(
    await batch({ subject: bob, resource: record1, evaluations: [{ action: read }, { action: write }] }),
    [true, false],
  );
  const items = [{ resource: { ...record1, properties: { status: 'active' } } }, { resource: archived }];
  assert.deepEqual(await batch({ subject: alice, action: write, evaluations: items }), [true, false]);
  assert.deepEqual(
    await batch({ action: write, resource: archived, evaluations: [{ subject: alice }, { subject: admin }] }),
    [false, true],
  );
  const lent = [{ resource: { id: 'record-1', properties: { status: 'active' } } }, { resource: archived }];
  assert.deepEqual(await batch({ subject: alice, action: write, resource: { type: 'record' }, evaluations: lent }), [
    true,
    false,
  ]);
  // The entity is replaced whole: the default's properties do not come along.
  assert.deepEqual(
    await batch({ subject: alice, action: write, resource: archived, evaluations: [{ resource: record1 }, {}] }),
    [true, false],
  );
});

test('a bad item of a batch is denied in its place; no items at all are the single question', async () => {
  assert.deepEqual(
    await batch({ subject: alice, action: read, evaluations: [{ resource: record1 }, {}, 7, { resource: 'x' }] }),
    [true, false, false, false],
  );
  for (const evaluations of [undefined, []]) {
    const body = { subject: alice, action: read, resource: record1, evaluations };
    assert.deepEqual((await opened.post(`${base}/evaluations`, body)).body, { decision: true });
  }
});

test('a batch ends at the first denial or permit where it is asked to', async () => {
  const evaluations = [read, write, read].map((action) => ({ action }));
  const of = (evaluations_semantic: string, subject: object) =>
    batch({ subject, resource: record1, evaluations, options: { evaluations_semantic } });
  assert.deepEqual(await of('execute_all', bob), [true, false, true]);
  assert.deepEqual(await of('deny_on_first_deny', bob), [true, false]);
  assert.deepEqual(await of('permit_on_first_permit', bob), [true]);
  assert.deepEqual(await of('deny_on_first_deny', alice), [true, true, true]);
});

test("finds the fixture's subjects, resources and actions", async () => {
  assert.deepEqual(await search('subject', { subject: { type: 'user' }, action: read, resource: record1 }), [
    alice,
    bob,
  ]);
  assert.deepEqual(await search('subject', { subject: { type: 'user' }, action: write, resource: archived }), [bob]);
  assert.deepEqual(await search('resource', { subject: alice, action: read, resource: { type: 'record' } }), [
    record1,
    record2,
  ]);
  assert.deepEqual(await search('resource', { subject: admin, action: write, resource: { type: 'record' } }), [
    record2,
  ]);
  assert.deepEqual(await search('action', { subject: alice, resource: record1 }), [
    { name: 'delete' },
    { name: 'read' },
    { name: 'write' },
  ]);
  assert.deepEqual(await search('action', { subject: admin, resource: archived }), [{ name: 'write' }]);
});

test('objects that a role opens are found: the one that it names, or all of the type that anything names', async () => {
  const found = (id: string, type = 'user') =>
    search('resource', { subject: { type, id }, action: { name: 'view' }, resource: { type: 'employee' } });
  const ids = (...each: string[]) => each.map((id) => ({ type: 'employee', id }));
  assert.deepEqual(await found('mia'), []);
  await opened.tell(
    facts.related(20, 'employee:42', 'manager', 'user:mia'),
    facts.role(21, 'opener', { object: 'employee:*', permission: 'view' }),
    facts.role(22, 'one-page', { object: 'employee:7', permission: 'view' }),
    facts.role(23, 'editor', { object: 'employee:*', permission: 'edit' }),
    facts.grant(24, 'user:oli', 'opener'),
    facts.grant(25, 'user:una', 'one-page'),
    facts.grant(26, 'user:eda', 'editor'),
    facts.grant(27, 'user:geo', 'opener', { countries: ['DE'] }),
    facts.key(28, 'credential:k2', 'user:mia'),
    facts.grant(29, 'credential:k2', 'opener'),
  );
  assert.deepEqual(await found('mia'), ids('42'));
  assert.deepEqual(await found('oli'), ids('42', '7'));
  assert.deepEqual(await found('una'), ids('7'));
  assert.deepEqual(await found('eda'), []);
  assert.deepEqual(await found('geo'), []);
  assert.deepEqual(await found('k2', 'credential'), ids('42'), 'a key opens no more than its owner');
});

test('a search for what nobody bears finds nothing, and one that cannot be read is a 400', async () => {
  assert.deepEqual(await search('action', { subject: { type: 'user', id: 'nonexistent' }, resource: record1 }), []);
  assert.deepEqual(await search('subject', { subject: { type: 'spaceship' }, action: read, resource: record1 }), []);
  assert.deepEqual(await search('resource', { subject: alice, action: read, resource: { type: 'spaceship' } }), []);
  const broken: readonly (readonly [string, object])[] = [
    ['subject', { subject: { type: 'user' }, resource: record1 }],
    ['resource', { action: read, resource: { type: 'record' } }],
    ['action', { subject: alice }],
    ['subject', { subject: { type: 'user' }, action: read, resource: { type: 'record' } }],
    ['resource', { subject: { type: 'user' }, action: read, resource: { type: 'record' } }],
  ];
  for (const [what, body] of broken) assert.equal((await opened.post(`${base}/search/${what}`, body)).status, 400);
});

test('a search comes in pages, and a token belongs to its own search', async () => {
  const whole = { subject: { type: 'user' }, action: read, resource: record1 };
  const first = await opened.post(`${base}/search/subject`, { ...whole, page: { limit: 1 } });
  const { results, page } = first.body as { results: unknown[]; page: { next_token: string } };
  assert.deepEqual(results, [alice]);
  const second = await opened.post(`${base}/search/subject`, { ...whole, page: { token: page.next_token } });
  assert.deepEqual(second.body, { results: [bob], page: { next_token: '', count: 1, total: 2 } });
  for (const body of [
    { ...whole, action: write, page: { token: page.next_token } },
    { ...whole, page: { token: 'made-up' } },
  ])
    assert.equal((await opened.post(`${base}/search/subject`, body)).status, 400);
});

test('our endpoints answer by their id, and as routes by method and template', async () => {
  const rick = { type: 'identity', id: 'rick@the-citadel.com' };
  const route = { type: 'route', id: '/todos/{todoId}' };
  assert.equal(await evaluate(rick, { name: 'GET' }, route), true);
  assert.equal(await evaluate(rick, { name: 'PUT' }, route), false);
  assert.equal(await evaluate(rick, { name: 'GET' }, { type: 'route', id: '/todos/17' }), true);
  assert.equal(await evaluate(rick, { name: 'GET' }, { type: 'route', id: '/todos/17/../18' }), false);
  assert.equal(
    await evaluate({ ...rick, type: 'user' }, { name: 'call' }, { type: 'endpoint', id: 'todos/get' }),
    true,
  );
  assert.equal(await evaluate(rick, { name: 'read' }, { type: 'endpoint', id: 'todos/get' }), false);
  assert.equal(await evaluate(alice, { name: 'GET' }, { type: 'route', id: '/todos/about' }), true);
  assert.equal(await evaluate({ type: 'credential', id: 'k1' }, { name: 'GET' }, route), true);
  assert.equal(await evaluate({ type: 'credential', id: 'k9' }, { name: 'GET' }, route), false);
  const far = { type: 'user', id: 'far' };
  const at = (country: string, time: string) => evaluate(far, { name: 'GET' }, route, { context: { country, time } });
  assert.equal(await at('DE', '2026-05-31T23:59:59Z'), true);
  assert.equal(await at('DE', '2026-06-01T00:00:00Z'), false);
  assert.equal(await at('FR', '2026-05-01T00:00:00Z'), false);
  assert.equal(await evaluate(far, { name: 'GET' }, route), false);
  assert.deepEqual(await search('action', { subject: rick, resource: route }), [{ name: 'GET' }]);
  assert.deepEqual(await search('resource', { subject: rick, action: { name: 'GET' }, resource: { type: 'route' } }), [
    { type: 'route', id: '/todos/about' },
    { type: 'route', id: '/todos/{todoId}' },
  ]);
});

test('the metadata document names every endpoint below the gate', () => {
  const document = authzenConfiguration('https://gate.example/');
  assert.equal(document['policy_decision_point'], 'https://gate.example');
  assert.equal(document['access_evaluation_endpoint'], 'https://gate.example/.postern/access/v1/evaluation');
  for (const url of Object.values(document)) assert.ok(url.startsWith('https://'));
});
