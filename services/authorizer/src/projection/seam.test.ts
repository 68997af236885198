import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seam } from './seam.ts';

test('nobody asks between two models: those under way end first, new ones wait for the opening', async () => {
  const between = seam();
  const order: string[] = [];
  const running = Promise.withResolvers<void>();
  const first = between.asked(async () => {
    await running.promise;
    order.push('asked before');
  }, 60_000);
  const closing = between.close().then(() => order.push('written'));
  const second = between.asked(async () => void order.push('asked behind'), 60_000);
  running.resolve();
  await Promise.all([first, closing]);
  between.open();
  await second;
  assert.deepEqual(order, ['asked before', 'written', 'asked behind']);
});

test('a question that the opening does not reach in time is left unanswered', async () => {
  const between = seam();
  await between.close();
  assert.equal(await between.asked(async () => 'asked', 1), undefined);
  between.open();
  assert.equal(await between.asked(async () => 'asked', 1), 'asked');
});
