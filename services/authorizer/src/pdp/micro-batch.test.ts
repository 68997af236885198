import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { microBatch } from './micro-batch.ts';

const doubling = (calls: number[][]) => async (questions: readonly number[]) => {
  calls.push([...questions]);
  await turn();
  return questions.map((each) => each * 2);
};

test('questions of one turn share one call, and each asker gets its own answers', async () => {
  const calls: number[][] = [];
  const ask = microBatch(doubling(calls), { itemsMax: 100, inFlightMax: 4 });
  const answers = await Promise.all([ask([1, 2]), ask([]), ask([3]), ask([4, 5])]);
  assert.deepEqual(answers, [[2, 4], [], [6], [8, 10]]);
  assert.deepEqual(calls, [[1, 2, 3, 4, 5]]);
});

test('a call holds no more than its limit, unless one asker alone brings more', async () => {
  const calls: number[][] = [];
  const ask = microBatch(doubling(calls), { itemsMax: 3, inFlightMax: 9 });
  await Promise.all([ask([1, 2]), ask([3, 4]), ask([5, 6, 7, 8])]);
  assert.deepEqual(calls, [
    [1, 2],
    [3, 4],
    [5, 6, 7, 8],
  ]);
});

test('while the bound of calls is under way the next one grows', async () => {
  const calls: number[][] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const ask = microBatch(
    async (questions: readonly number[]) => {
      calls.push([...questions]);
      await held;
      return questions;
    },
    { itemsMax: 100, inFlightMax: 1 },
  );
  const asked = [ask([1])];
  for (const each of [2, 3, 4]) {
    await turn();
    asked.push(ask([each]));
  }
  await turn();
  assert.deepEqual(calls, [[1]]);
  release();
  assert.deepEqual(await Promise.all(asked), [[1], [2], [3], [4]]);
  assert.deepEqual(calls, [[1], [2, 3, 4]]);
});

test('a call that fails fails its own askers, and the next one is made', async () => {
  let calls = 0;
  const ask = microBatch(
    async (questions: readonly number[]) => {
      if (++calls === 1) throw new Error('gone');
      return questions;
    },
    { itemsMax: 2, inFlightMax: 1 },
  );
  const [first, second] = await Promise.allSettled([ask([1, 2]), ask([3])]);
  assert.equal(first?.status, 'rejected');
  assert.deepEqual(second, { status: 'fulfilled', value: [3] });
});
