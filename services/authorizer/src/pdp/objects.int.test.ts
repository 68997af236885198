import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { openRelationships } from '@postern/relationships/open';
import { type Answer, gateSchema, type Question, type Sequence } from '@postern/schemas';
import { draftOf } from '@postern/schemas/histories';
import fc from 'fast-check';
import { facts, room } from '../trial/room.ts';
import { fromWireQuestion, toWireQuestion, WireQuestions } from './wire.ts';

const related = (n: number, object: string, relation: string, subject: string) =>
  draftOf(n, 'postern.object.related.v1', { object, relation, subject } as never);
const unrelated = (n: number, object: string, relation: string, subject: string) =>
  draftOf(n, 'postern.object.unrelated.v1', { object, relation, subject } as never);
const view = (id: string) => ({ resource: `employee:${id}`, permission: 'view' });
const ask = (subjects: string | readonly string[], objects: readonly object[], context: object = {}): Question => ({
  subjects: [subjects].flat() as never,
  endpoint: 'payroll/get' as never,
  objects: objects as never,
  context: { now: '2026-03-02T09:00:00Z', ...context },
  atLeast: 0 as Sequence,
});
const told = (answers: readonly Answer[]) =>
  answers.map((answer) => (answer.outcome === 'allow' ? 'allow' : answer.reason)).join(' ');

const people = ['ann', 'bob', 'cat', 'dan'];
const world = [
  facts.schema(1),
  facts.routes(2, 'payroll', {
    id: 'payroll/get',
    method: 'GET',
    template: '/employees/{id}',
    access: 'read',
    objects: [{ type: 'employee', parameter: 'id', permission: 'view' }],
  }),
  facts.role(3, 'reader', { service: 'payroll', access: 'read' }),
  facts.role(4, 'opener', { object: 'employee:*', permission: 'view' }),
  facts.role(5, 'one-opener', { object: 'employee:7', permission: 'view' }),
  ...people.map((name, n) => facts.joined(6 + n, `user:${name}`)),
  facts.member(10, 'group:hr', 'user:cat'),
  ...people.map((name, n) => facts.grant(11 + n, `user:${name}`, 'reader')),
  facts.grant(15, 'user:ann', 'opener', { countries: ['DE'] }),
  facts.grant(16, 'user:dan', 'one-opener'),
  related(17, 'employee:42', 'manager', 'user:bob'),
  related(18, 'employee:42', 'manager', 'group:hr#member'),
  facts.key(19, 'credential:k1', 'user:bob'),
  facts.grant(20, 'credential:k1', 'reader'),
  facts.grant(21, 'credential:k1', 'opener'),
];

test('an object is open by its own relationships, by a role for all of its type or for this one, and to nobody else', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  const { decide } = opened.service;
  const DE = { country: 'DE' };
  assert.equal(
    told(
      await decide([
        ask('user:bob', [view('42')]),
        ask('user:bob', [view('43')]),
        ask('user:cat', [view('42')]),
        ask('user:ann', [view('1')], DE),
        ask('user:ann', [view('1')], { country: 'FR' }),
        ask('user:ann', [view('1')]),
        ask('user:dan', [view('7')]),
        ask('user:dan', [view('8')]),
        ask('user:dan', [view('7'), view('8')]),
        ask('user:eve', [view('42')]),
      ]),
    ),
    'allow no-grant allow allow condition-unmet context-missing allow no-grant no-grant no-grant',
  );
  const [conditional] = await decide([ask('user:ann', [view('1')], DE)]);
  assert.deepEqual(conditional?.outcome === 'allow' && conditional.dependsOn, ['country']);
  // The key may open everybody, its owner only 42: the intersection.
  assert.equal(
    told(await decide(['42', '43'].map((id) => ask(['credential:k1', 'user:bob'], [view(id)])))),
    'allow no-grant',
  );
  await opened.tell(unrelated(22, 'employee:42', 'manager', 'user:bob'), facts.left(23, 'user:cat'));
  assert.equal(
    told(await decide(['bob', 'cat'].map((name) => ask(`user:${name}`, [view('42')])))),
    'no-grant no-grant',
  );
});

test('what the schema does not know is denied to its own question, and changes no other', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  assert.equal(
    told(
      await opened.service.decide([
        ask('user:bob', [{ resource: 'spaceship:1', permission: 'board' }]),
        ask('user:bob', [view('42')]),
        ask('user:bob', [{ resource: 'employee:42', permission: 'promote' }]),
      ]),
    ),
    'no-grant allow no-grant',
  );
});

test('a can for a path with an object is decided with it, and says how it is reached or what would do', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  const can = async (subject: string, id: string) =>
    (await opened.get(`/.postern/can?subject=user:${subject}&method=GET&path=/payroll/employees/${id}`)).body as never;
  assert.partialDeepStrictEqual(await can('bob', '42'), {
    decision: 'allow',
    objects: [view('42')],
    explanation: {
      ways: [
        { role: 'reader' },
        {
          object: 'employee:42#view',
          through: [
            { resource: 'employee:42', relation: 'manager', subject: 'user:bob', fact: 17, by: 'postern/history' },
          ],
        },
      ],
    },
  });
  // Over a group: the fact is that of the group's relation.
  assert.partialDeepStrictEqual(await can('cat', '42'), {
    decision: 'allow',
    explanation: { ways: [{ role: 'reader' }, { through: [{ subject: 'group:hr#member', fact: 18 }] }] },
  });
  assert.partialDeepStrictEqual(await can('bob', '43'), {
    decision: 'deny',
    explanation: {
      misses: [
        { kind: 'object', object: 'employee:43#view', relations: ['self_service', 'manager', 'reader'], there: [] },
        { kind: 'role', role: 'opener' },
      ],
    },
  });
  assert.partialDeepStrictEqual(await can('dan', '42'), {
    decision: 'deny',
    explanation: { misses: [{ kind: 'object', there: [{ relation: 'manager', subject: 'user:bob', fact: 17 }, {}] }] },
  } as never);
  const route = (id: string) =>
    opened.post('/.postern/access/v1/evaluation', {
      subject: { type: 'user', id: 'bob' },
      action: { name: 'GET' },
      resource: { type: 'route', id },
    });
  const decision = async (id: string) => ((await route(id)).body as { decision: boolean }).decision;
  assert.equal(await decision('/payroll/employees/42'), true);
  assert.equal(await decision('/payroll/employees/43'), false);
  assert.equal(await decision('/payroll/employees/{id}'), false, 'a template names no object');
});

test('no delegated caller ever does what its owner may not, whatever it was given itself', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  const principals = people.map((name) => `user:${name}`);
  const ids = ['1', '7', '42', '43'];
  const seed = Number(process.env['POSTERN_SEED'] ?? Math.trunc(Math.random() * 1e9));
  let allowed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...principals), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      fc.constantFrom(...ids),
      fc.constantFrom({}, { country: 'DE' }),
      async ([owner = '', ...actors], byKey, id, context) => {
        const links = byKey ? ['credential:k1', 'user:bob', ...actors] : [owner, ...actors];
        const questions = [links, ...links.map((each) => [each])].map((each) => ask(each, [view(id)], context));
        const [delegated, ...alone] = (await opened.service.decide(questions)).map(({ outcome }) => outcome);
        assert.equal(
          delegated === 'allow',
          alone.every((each) => each === 'allow'),
          `${links} ${id}`,
        );
        if (delegated === 'allow' && links.length > 1) allowed++;
      },
    ),
    { numRuns: 150, seed },
  );
  assert.ok(allowed > 0, 'nothing was ever allowed to anybody delegated');
});

test('a relationship that the schema does not know is set aside, loudly, and holds when a schema knows it', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  await using opened = await room(log, engine);
  await opened.tell(...world);
  await opened.tell(
    related(30, 'employee:42', 'assistant', 'user:dan'),
    related(31, 'spaceship:1', 'captain', 'user:dan'),
    unrelated(32, 'spaceship:1', 'captain', 'user:dan'),
    related(33, 'employee:43', 'manager', 'user:dan'),
  );
  const { decide } = opened.service;
  assert.equal(told(await decide(['42', '43'].map((id) => ask('user:dan', [view(id)])))), 'no-grant allow');
  const wider = gateSchema
    .replace(
      '	relation manager: user | group#member\n',
      '	relation manager: user | group#member\n	relation assistant: user\n',
    )
    .replace('= self_service + manager', '= self_service + assistant + manager');
  await opened.tell(facts.schema(34, wider));
  assert.equal(told(await decide(['42', '43'].map((id) => ask('user:dan', [view(id)])))), 'allow allow');
  // Another projector over the same engine finds it as it left it.
  await opened.tell(related(35, 'employee:44', 'nonsense', 'user:dan'));
  await using second = await room(log, engine);
  await second.tell(facts.joined(36, 'user:late'));
  assert.equal(told(await second.service.decide([ask('user:dan', [view('42')])])), 'allow');
  assert.deepEqual(second.service.notReady(), []);
});

test('a question crosses processes whole', () => {
  for (const question of [
    ask('user:bob', [view('42'), view('a=20b')], { ip: '10.1.1.1', acr: 'gold', amr: ['hwk'] }),
    ask('user:bob', [], {}),
    { ...ask('user:bob', []), objects: undefined },
  ]) {
    const wire = WireQuestions.parse(JSON.parse(JSON.stringify([toWireQuestion(question as Question)])));
    assert.deepEqual(wire.map(fromWireQuestion), [JSON.parse(JSON.stringify(question))]);
  }
});
