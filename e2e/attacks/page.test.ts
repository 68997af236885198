import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../world/embedded.ts';
import { cases, page, pageFile, rows } from './page.ts';

test('every case of the list has a row in the corpus, a test that shows it, or a reason why there is none', () => {
  const sent = new Set(rows().map((row) => row.case));
  const known = cases();
  for (const { case: name, tests = [], note } of known) {
    assert.ok(sent.has(name) || tests.length > 0 || note !== undefined, `${name} is shown nowhere`);
    for (const { file, name: title } of tests)
      assert.ok(readFileSync(join(root, file), 'utf8').includes(title), `${name}: ${file} has no test "${title}"`);
  }
  const numbers = { P: 18, M: 5, H: 11, T: 12, X: 7 };
  const expected = Object.entries(numbers).flatMap(([letter, last]) =>
    Array.from({ length: last }, (_, index) => `${letter}${index + 1}`),
  );
  assert.deepEqual(
    known.map((one) => one.case).filter((name) => /^[A-Z]/.test(name)),
    expected,
  );
  for (const name of sent)
    assert.ok(
      known.some((one) => one.case === name),
      `the corpus has a case ${name} that is not on the list`,
    );
});

test('docs/explanation/attacks.md is what the corpus says', () => {
  assert.equal(readFileSync(pageFile, 'utf8'), page(), 'run `node e2e/attacks/page.ts`');
});
