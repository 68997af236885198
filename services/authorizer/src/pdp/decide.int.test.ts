import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import type { Relationships } from '@postern/relationships';
import { openRelationships } from '@postern/relationships/open';
import type { Answer, Question, Sequence } from '@postern/schemas';
import { facts, room } from '../trial/room.ts';

const now = '2026-03-02T09:00:00Z';
const ask = (subjects: string | readonly string[], context: object = {}, atLeast = 0): Question => ({
  subjects: [subjects].flat() as never,
  endpoint: 'payroll/list' as never,
  context: { now, ...context },
  atLeast: atLeast as Sequence,
});
const world = [
  facts.schema(1),
  facts.routes(2, 'payroll', { id: 'payroll/list', method: 'GET', template: '/', access: 'read' }),
  facts.role(3, 'reader', { service: 'payroll', access: 'read' }),
  facts.member(4, 'group:hr', 'user:bob'),
  facts.grant(5, 'user:ann', 'reader'),
  facts.grant(6, 'group:hr#member', 'reader', { countries: ['DE'] }),
  facts.key(7, 'credential:k1', 'user:ann'),
  facts.grant(8, 'credential:k1', 'reader', { cidrs: ['10.0.0.0/8'], until: '2026-06-01T00:00:00Z' }),
];
const open = async (engine: Relationships, config = {}) => {
  const log = await openEventLog('memory:');
  const started = await room(log, engine, config);
  await started.tell(...world);
  return { ...started, log };
};
const outcomes = (answers: readonly Answer[]) =>
  answers.map((answer) => (answer.outcome === 'allow' ? 'allow' : answer.reason));

test('allows what every subject of the question may, and says what the answer depends on', async () => {
  await using engine = await openRelationships('embedded:');
  await using opened = await open(engine);
  const { decide } = opened.service;
  const sequence = 8 as Sequence;
  assert.deepEqual(
    await decide([
      ask('user:ann'),
      ask('user:eve'),
      ask('user:bob', { country: 'DE' }),
      ask('user:bob', { country: 'FR' }),
      ask('user:bob'),
      ask(['credential:k1', 'user:ann'], { ip: '10.1.1.1' }),
      ask(['credential:k1', 'user:ann'], { ip: '11.1.1.1' }),
      ask(['credential:k1', 'user:eve'], { ip: '10.1.1.1' }),
    ]),
    [
      { outcome: 'allow', sequence, dependsOn: [] },
      { outcome: 'deny', reason: 'no-grant', sequence, dependsOn: [] },
      { outcome: 'allow', sequence, dependsOn: ['country'] },
      { outcome: 'deny', reason: 'condition-unmet', sequence, dependsOn: ['country'] },
      { outcome: 'deny', reason: 'context-missing', sequence, dependsOn: ['country'] },
      { outcome: 'allow', sequence, dependsOn: ['now', 'ip'] },
      { outcome: 'deny', reason: 'condition-unmet', sequence, dependsOn: ['now', 'ip'] },
      { outcome: 'deny', reason: 'no-grant', sequence, dependsOn: [] },
    ],
  );
});

test('a question about nobody is not allowed', async () => {
  await using engine = await openRelationships('embedded:');
  await using opened = await open(engine);
  assert.deepEqual(outcomes(await opened.service.decide([ask([])])), ['no-grant']);
});

test('a value that the engine cannot judge refuses its own question alone', async () => {
  await using engine = await openRelationships('embedded:');
  await using opened = await open(engine);
  const questions = [
    ask(['credential:k1', 'user:ann'], { ip: 'garbage' }),
    ask('user:ann', { ip: 'garbage' }),
    ask('spaceship:one'),
  ];
  assert.deepEqual(outcomes(await opened.service.decide(questions)), ['bad-context', 'allow', 'bad-context']);
});

test('an answer rests on at least the sequence that the question names', async () => {
  await using engine = await openRelationships('embedded:');
  await using opened = await open(engine);
  const asked = opened.service.decide([ask('user:eve', {}, 9), ask('user:ann')]);
  await opened.log.facts.append(8 as Sequence, [facts.grant(9, 'user:eve', 'reader')]);
  const [eve, ann] = await asked;
  assert.deepEqual(eve, { outcome: 'allow', sequence: 9, dependsOn: [] });
  assert.equal(ann?.outcome, 'allow');
  await opened.log.facts.append(9 as Sequence, [facts.left(10, 'user:ann')]);
  assert.deepEqual(outcomes(await opened.service.decide([ask('user:ann', {}, 10)])), ['no-grant']);
});

test('a question about a later sequence than the log holds is given up, and holds up no other', async () => {
  await using engine = await openRelationships('embedded:');
  await using opened = await open(engine, { waitMs: 200 });
  const { decide } = opened.service;
  const [late, [prompt]] = await Promise.all([decide([ask('user:ann', {}, 99)]), decide([ask('user:ann')])]);
  assert.deepEqual(outcomes(late), ['behind']);
  assert.equal(prompt?.outcome, 'allow');
});

test('where one subject needs the context, all of them are asked again in the same call: one snapshot', async () => {
  await using engine = await openRelationships('embedded:');
  const calls: string[][] = [];
  const watched: Relationships = {
    ...engine,
    checkAt: (items, at) => {
      calls.push(items.map(({ subject, context }) => `${subject} ${context?.ip ?? ''}`));
      return engine.checkAt(items, at);
    },
  };
  await using opened = await open(watched);
  calls.length = 0;
  await opened.service.decide([ask(['credential:k1', 'user:ann'], { ip: '10.1.1.1' }), ask('user:ann')]);
  assert.deepEqual(calls, [
    ['credential:k1 ', 'user:ann ', 'user:ann '],
    ['credential:k1 10.1.1.1', 'user:ann 10.1.1.1'],
  ]);
});

test('an engine that is gone refuses everything and rejects nothing', async () => {
  const engine = await openRelationships('embedded:');
  await using opened = await open(engine);
  await engine[Symbol.asyncDispose]();
  assert.deepEqual(outcomes(await opened.service.decide([ask('user:ann'), ask('user:bob')])), [
    'engine-unreachable',
    'engine-unreachable',
  ]);
});
