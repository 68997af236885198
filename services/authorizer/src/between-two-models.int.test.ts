/** A publication takes the engine several writes: nothing is decided between them, on a real engine that is held there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import type { Relationships } from '@postern/relationships';
import { openRelationships } from '@postern/relationships/open';
import { type Answer, beginning, gateSchema, Organisation, type Question } from '@postern/schemas';
import { draftOf } from '@postern/schemas/histories';
import { judgeOver } from './judge-over.ts';
import { facts, room } from './trial/room.ts';

/** The model before: bob may call the endpoint, and views nothing. After: he views, and may not call. Neither lets him in. */
const own = (view: string): string => gateSchema.replace(/= self_service \+ manager \+ reader/, `= ${view}`);
const before = own('self_service');
const after = own('self_service + manager');

/** The engine itself, but that its next projection behind a schema waits until it is let go. */
const heldBehindSchema = (engine: Relationships) => {
  const reached = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  let armed = false;
  let between = false;
  let askedBetween = 0;
  const held: Relationships = {
    ...engine,
    writeSchema: async (text) => {
      const zookie = await engine.writeSchema(text);
      between = armed;
      return zookie;
    },
    project: async (projection) => {
      if (between) {
        reached.resolve();
        await letGo.promise;
        between = false;
      }
      return engine.project(projection);
    },
    checkAt: async (items, at) => {
      if (between) askedBetween++;
      return engine.checkAt(items, at);
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
  return {
    held,
    arm: () => {
      armed = true;
    },
    standsBetween: reached.promise,
    letGo: letGo.resolve,
    askedBetween: () => askedBetween,
  };
};

const viewOf42: Question = {
  subjects: ['user:bob' as never],
  endpoint: 'payroll/get' as never,
  objects: [{ resource: 'employee:42', permission: 'view' }],
  context: { now: '2026-03-02T09:00:00Z' },
  // The question itself does not ask for the publication: whoever waits for it would not be between.
  atLeast: beginning,
};

const modelBefore = () => [
  facts.schema(1, before),
  facts.routes(2, 'payroll', { id: 'payroll/get', method: 'GET', template: '/employees/{id}', access: 'read' }),
  facts.role(3, 'reader', { endpoint: 'payroll/get' }),
  facts.joined(4, 'user:bob'),
  facts.grant(5, 'user:bob', 'reader'),
  draftOf(6, 'postern.object.related.v1', { object: 'employee:42', relation: 'manager', subject: 'user:bob' } as never),
];
const modelAfter = () => [facts.schema(7, after), facts.role(8, 'reader', { endpoint: 'payroll/other' })];

test('while a publication is under way nobody is let in whom neither the old model nor the new one lets in', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  const engineHeld = heldBehindSchema(engine);
  await using opened = await room(log, engineHeld.held);
  // However the test ends, the projection has to be able to.
  using _end = { [Symbol.dispose]: engineHeld.letGo };
  await opened.tell(...modelBefore());
  const decide = async (): Promise<Answer | undefined> => (await opened.service.decide([viewOf42]))[0];
  assert.equal((await decide())?.outcome, 'deny', 'the model before');

  engineHeld.arm();
  const published = await log.facts.append(await log.facts.head(), modelAfter());
  assert.equal(published.outcome, 'appended');
  await engineHeld.standsBetween;
  const asked = decide();
  // An answer that does come now would rest on the new schema under the old roles.
  await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 300))]);
  assert.equal(engineHeld.askedBetween(), 0, 'the engine was asked between two models');
  engineHeld.letGo();
  const answer = await asked;
  assert.equal(answer?.outcome, 'deny');
  assert.equal(answer?.outcome === 'deny' && answer.sequence, 8, 'of the model after, whole');
});

test('nor by another authorizer on the same engine, which has not heard of the publication yet', async () => {
  await using log = await openEventLog('memory:');
  await using engine = await openRelationships('embedded:');
  const engineHeld = heldBehindSchema(engine);
  await using writing = await room(log, engineHeld.held);
  using _end = { [Symbol.dispose]: engineHeld.letGo };
  await writing.tell(...modelBefore());
  // What the other one is told: where the engine stood before, and nothing newer.
  const stood = await engine.reached();
  const behind = judgeOver({ engine: freshest(engine), organisation: new Organisation(), reached: () => stood });
  const decide = async (): Promise<Answer | undefined> => (await behind.decide([viewOf42]))[0];
  assert.equal((await decide())?.outcome, 'deny', 'the model before');

  engineHeld.arm();
  await log.facts.append(await log.facts.head(), modelAfter());
  await engineHeld.standsBetween;
  assert.deepEqual(await decide(), { outcome: 'unavailable', reason: 'behind' });
  assert.deepEqual(
    await engine.check([{ resource: 'employee:42', permission: 'view', subject: 'user:bob' }]),
    [{ verdict: 'has' }],
    'the new schema is there already, so without the place he would be let in',
  );
  assert.equal((await engine.reached()).place, undefined, 'whoever looks finds the projection on its way');
  engineHeld.letGo();
  await writing.service.decide([{ ...viewOf42, atLeast: 8 as never }]);
  assert.deepEqual(await decide(), { outcome: 'unavailable', reason: 'behind' }, 'it stands elsewhere now');
  const now = await engine.reached();
  const caughtUp = judgeOver({ engine, organisation: new Organisation(), reached: () => now });
  assert.equal((await caughtUp.decide([viewOf42]))[0]?.outcome, 'deny');
});

/** The engine may answer from a snapshot before the publication, rightly; the point is what it says of the newest. */
const freshest = (engine: Relationships): Pick<Relationships, 'checkAt'> => ({
  checkAt: async (items, at) => engine.checkAt(items, { ...at, zookie: (await engine.reached()).zookie }),
});
