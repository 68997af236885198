import assert from 'node:assert/strict';
import { beginning, canonicalJson, gateSchema, isProblem, relationshipText } from '@postern/schemas';
import { ask, edge, holds, type Stage } from './stage.ts';

type Test = (stage: Stage) => Promise<void>;

/** Promises about writing: the checkpoint, its precondition, the schema. */
export const projecting: Readonly<Record<string, Test>> = {
  'moves the checkpoint together with the updates': async ({ engine, projection }) => {
    const written = await engine.project(projection(1, 7, [holds('user:ann')]));
    assert.equal(written.outcome, 'written');
    assert.equal((await engine.reached()).sequence, 7);
    assert.deepEqual(await engine.check([ask('user:ann')]), [{ verdict: 'has' }]);
  },

  'moves the checkpoint over facts that mean no update': async ({ engine, projection }) => {
    assert.equal((await engine.project(projection(1, 2))).outcome, 'written');
    assert.equal((await engine.reached()).sequence, 2);
  },

  'a projection from anywhere but the checkpoint is lost and writes nothing': async ({ engine, projection, all }) => {
    const before = (await all()).map(relationshipText);
    for (const from of [0, 2, 9])
      assert.deepEqual(await engine.project(projection(from, 10, [holds('user:ann')])), { outcome: 'lost' });
    assert.equal((await engine.reached()).sequence, 1);
    assert.deepEqual((await all()).map(relationshipText), before);
  },

  'of two racing projectors one is lost': async ({ engine, projection }) => {
    const outcomes = await Promise.all([
      engine.project(projection(1, 2, [holds('user:ann')])),
      engine.project(projection(1, 2, [holds('user:bob')])),
    ]);
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['lost', 'written']);
  },

  'writes more updates than the engine takes in one call': async ({ engine, projection, all }) => {
    const members = Array.from({ length: 2_500 }, (_, n) => edge('group:all', 'member', `user:u${n}`));
    assert.equal((await engine.project(projection(1, 2, members))).outcome, 'written');
    assert.equal((await engine.reached()).sequence, 2);
    assert.equal((await all()).filter(({ resource }) => resource === 'group:all').length, 2_500);
  },

  'takes the last of several updates of one relationship': async ({ engine, projection }) => {
    const [touch, remove] = ['touch', 'delete'] as const;
    const relationship = holds('user:ann');
    const again = {
      ...projection(1, 2),
      updates: [touch, remove, touch].map((operation) => ({ operation, relationship })),
    };
    await engine.project(again);
    assert.deepEqual(await engine.check([ask('user:ann')]), [{ verdict: 'has' }]);
    const away = { ...projection(2, 3), updates: [touch, remove].map((operation) => ({ operation, relationship })) };
    await engine.project(away);
    assert.deepEqual(await engine.check([ask('user:ann')]), [{ verdict: 'has-not' }]);
  },

  'deletes what is not there without a word': async ({ engine, write, all }) => {
    await write([], [holds('user:nobody'), holds('user:ann', [{ countries: ['DE'] }])]);
    assert.equal((await engine.reached()).sequence, 2);
    assert.equal((await all()).length, 1);
  },

  'a repeated projection is harmless': async ({ engine, projection, all }) => {
    const updates = [holds('user:ann'), holds('user:bob', [{ countries: ['DE'] }])];
    await engine.project(projection(1, 2, updates));
    await engine.project(projection(2, 3, updates));
    assert.equal((await all()).length, 3);
  },

  'mends at the checkpoint without moving it, again and again': async ({ engine, projection }) => {
    for (const who of ['user:ann', 'user:bob']) {
      assert.equal((await engine.project(projection(1, 1, [holds(who)]))).outcome, 'written');
      assert.equal((await engine.reached()).sequence, 1);
      assert.deepEqual(await engine.check([ask(who)]), [{ verdict: 'has' }]);
    }
    assert.deepEqual(await engine.project(projection(0, 2)), { outcome: 'lost' });
    assert.equal((await engine.project(projection(1, 2))).outcome, 'written');
    assert.equal((await engine.reached()).sequence, 2);
    assert.deepEqual(await engine.project(projection(1, 3)), { outcome: 'lost' });
  },

  'refuses a wildcard subject and moves nothing': async ({ engine, projection, all }) => {
    await assert.rejects(engine.project(projection(1, 2, [holds('user:ann'), holds('user:*')])), (error) =>
      isProblem(error, 'authorizer/relationship-refused'),
    );
    assert.equal((await engine.reached()).sequence, 1);
    assert.equal((await all()).length, 1);
  },

  'a refused schema changes nothing': async ({ engine, write }) => {
    await write([holds('user:ann')]);
    for (const schema of [
      'definition user {',
      'definition user {}',
      gateSchema.replace('user | user with holds', 'nobody'),
    ])
      await assert.rejects(engine.writeSchema(schema), (error) => {
        assert.ok(isProblem(error, 'authorizer/schema-refused'));
        assert.ok(error.detail);
        return true;
      });
    assert.deepEqual(await engine.check([ask('user:ann')]), [{ verdict: 'has' }]);
    await write([holds('user:bob')]);
  },

  'answers exactly where the projection stands, and nowhere else': async ({ engine, projection }) => {
    const first = await engine.project(projection(1, 2, [holds('user:ann')]));
    assert.ok(first.outcome === 'written');
    assert.deepEqual(await engine.checkAt([ask('user:ann'), ask('user:bob')], first.reached), [
      { verdict: 'has' },
      { verdict: 'has-not' },
    ]);
    assert.deepEqual(await engine.checkAt([], first.reached), []);
    const second = await engine.project(projection(2, 3, [holds('user:bob')]));
    assert.ok(second.outcome === 'written');
    const { zookie } = second.reached;
    assert.equal(await engine.checkAt([ask('user:ann')], { ...first.reached, zookie }), 'moved');
    const mended = await engine.project(projection(3, 3, [holds('user:eve')]));
    assert.ok(mended.outcome === 'written');
    assert.equal(
      await engine.checkAt([ask('user:ann')], { ...second.reached, zookie: mended.reached.zookie }),
      'moved',
    );
    assert.deepEqual(await engine.checkAt([ask('user:eve')], await engine.reached()), [{ verdict: 'has' }]);
  },

  'answers nobody while several writes are on their way, a mend between them included': async ({
    engine,
    projection,
  }) => {
    const left = await engine.project({ ...projection(1, 1), onTheWay: true });
    assert.ok(left.outcome === 'written');
    assert.equal(left.reached.place, undefined);
    assert.equal(await engine.checkAt([ask('user:ann')], left.reached), 'moved');
    await engine.project(projection(1, 1, [holds('user:ann')]));
    assert.equal((await engine.reached()).place, undefined);
    await engine.project({ ...projection(1, 2, [holds('user:bob')]), onTheWay: true });
    assert.deepEqual({ ...(await engine.reached()), zookie: '' }, { sequence: 2, zookie: '', place: undefined });
    const arrived = await engine.project(projection(2, 3));
    assert.ok(arrived.outcome === 'written');
    assert.deepEqual(await engine.checkAt([ask('user:bob')], arrived.reached), [{ verdict: 'has' }]);
  },

  'says of an emptied engine that it has reached nothing': async ({ engine, projection, all }) => {
    const gone = await all();
    await engine.project({
      ...projection(1, 0),
      updates: gone.map((relationship) => ({ operation: 'delete', relationship })),
    });
    assert.equal((await engine.reached()).sequence, beginning);
    assert.deepEqual(await all(), []);
  },

  'reads back every relationship with its alternatives in canonical form': async ({ write, all }) => {
    const written = [
      holds(
        'user:ann',
        [
          { until: '2027-01-01T00:00:00Z', cidrs: ['10.0.0.0/8', '2001:db8::/32'] },
          { hours: { tz: 'Europe/Berlin', days: [1, 2], from: 540, to: 1020 } },
          { countries: ['DE'] },
        ].sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)),
      ),
      holds('group:hr#member'),
      edge('group:hr', 'member', 'user:bob=40example=2Ecom'),
      edge('credential:k1', 'owner', 'user:ann'),
    ];
    await write(written);
    const expected = [...written, edge('endpoint:payroll/getEmployee', 'caller', 'role:reader#holder')];
    assert.deepEqual((await all()).map(relationshipText).sort(), expected.map(relationshipText).sort());
  },
};
