import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, slopeOf } from './slope.ts';

const samples = (value: (second: number) => number) =>
  Array.from({ length: 60 }, (_, second) => ({ seconds: second, value: value(second) }));

test('a steady leak is seen through noise and odd samples, and noise alone is no leak', () => {
  const noise = (second: number) => ((second * 7_919) % 13) - 6;
  assert.ok(Math.abs(slopeOf(samples((second) => 100 + noise(second)))) < 0.05);
  assert.ok(Math.abs(slopeOf(samples((second) => 100 + 2 * second + noise(second))) - 2) < 0.05);
  assert.ok(Math.abs(slopeOf(samples((second) => (second % 20 === 0 ? 10_000 : 100)))) < 0.05);
  assert.ok(
    growthOf(
      samples((second) => 100 + second),
      60,
    ) > 0.4,
  );
});
