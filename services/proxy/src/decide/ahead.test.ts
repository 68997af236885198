import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, DecisionPoint, EndpointId, PrincipalId, Sequence } from '@postern/schemas';
import { ahead } from './ahead.ts';
import { decisionCache } from './cache.ts';
import { type Decision, decider } from './decider.ts';

test('an answer from a newer model waits until the routes of that model are applied', async () => {
  let applied = 4;
  const sequence = () => applied as Sequence;
  const early = ahead(sequence, 60_000);
  const newer: Answer = { outcome: 'allow', sequence: 9 as Sequence, dependsOn: [] };
  const point: DecisionPoint = { decide: async (questions) => questions.map(() => newer) };
  const decide = decider({
    point,
    cache: decisionCache(10),
    sequence,
    ahead: early,
    failed: (error) => assert.fail(String(error)),
  });
  const told: Decision[] = [];
  const subjects = ['user:ann' as PrincipalId];
  decide({ subjects, caller: 'user:ann' }, 'api/one' as EndpointId, { now: '2026-01-01T00:00:00Z' }, (decision) =>
    told.push(decision),
  );
  await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  assert.deepEqual(told, []);
  applied = 8;
  early.applied();
  assert.deepEqual(told, []);
  applied = 9;
  early.applied();
  assert.deepEqual(told, [{ answer: newer, cached: false }]);
});
