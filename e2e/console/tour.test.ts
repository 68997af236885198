/** The tour shows what the tests have taken, and nothing else. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../world/embedded.ts';

const folder = join(root, 'docs/tour');
const read = (file: string) => readFileSync(file, 'utf8');

test('every picture of the tour is there, is small, and is one that a test takes', () => {
  const named = [...read(join(folder, 'README.md')).matchAll(/\]\(([a-z0-9-]+)\.png\)/g)].map(([, name]) => name ?? '');
  const taken = readdirSync(join(root, 'e2e/console'))
    .filter((name) => name.endsWith('.e2e.test.ts'))
    .flatMap((name) => [...read(join(root, 'e2e/console', name)).matchAll(/picture\(\w+, '([a-z0-9-]+)'/g)])
    .map(([, name]) => name ?? '');
  assert.ok(named.length > 0);
  for (const name of named) {
    assert.ok(taken.includes(name), `${name} is taken by no test`);
    assert.ok(statSync(join(folder, `${name}.png`)).size < 200_000, `${name} is too large`);
  }
  const there = readdirSync(folder).filter((name) => name.endsWith('.png'));
  assert.deepEqual(there.map((name) => name.replace('.png', '')).sort(), [...named].sort());
});
