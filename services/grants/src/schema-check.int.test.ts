import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openRelationships } from '@postern/relationships/open';
import { gateSchema, isProblem } from '@postern/schemas';
import { gateShapes, oneOfEachShape, schemaCheck } from './schema-check.ts';

const check = schemaCheck(() => openRelationships('embedded:'));
const refuses = (code: Parameters<typeof isProblem>[1]) => (error: unknown) => isProblem(error, code);

describe('before a schema becomes a fact', () => {
  test("the gate's own schema is taken, with everything that the gate writes", () => check(gateSchema, gateShapes));

  test('a schema that cannot be compiled is refused', () =>
    assert.rejects(
      check(`${gateSchema}\ndefinition car { permission drive = nobody }`, gateShapes),
      refuses('authorizer/schema-refused'),
    ));

  test('a schema that has no place for what the gate writes is refused, though the engine compiles it', () =>
    assert.rejects(check('definition user {}', gateShapes), refuses('authorizer/relationship-refused')));

  test('a schema that would drop live relationships is refused', async () => {
    const live = [
      { resource: 'employee:1', relation: 'manager', subject: 'user:ann' },
      { resource: 'employee:2', relation: 'manager', subject: 'user:ben' },
    ];
    assert.equal(oneOfEachShape(live).length, 1);
    await check(gateSchema, [...gateShapes, ...live]);
    const without = gateSchema.replace('relation manager: user | group#member', '').replace(' + manager', '');
    await assert.rejects(
      check(without, [...gateShapes, ...oneOfEachShape(live)]),
      refuses('authorizer/relationship-refused'),
    );
  });
});
