/** docs/failure-modes.md, schemas/src/problems.ts and the source say the same: every code has an entry, and somebody throws it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { problems } from '@postern/schemas';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const entries = new Map(
  readFileSync(join(root, 'docs/failure-modes.md'), 'utf8')
    .split(/^### `/m)
    .slice(1)
    .map((entry) => [entry.slice(0, entry.indexOf('`')), entry]),
);

test('every problem code has an entry in docs/failure-modes.md, and every entry a code', () => {
  assert.deepEqual([...entries.keys()].sort(), Object.keys(problems).sort());
});

test('each entry says status and title as they are, what it means, what to check and what to do', () => {
  for (const [code, { status, title }] of Object.entries(problems)) {
    const entry = entries.get(code) ?? '';
    assert.ok(entry.includes(`\n${status}: ${title}\n`), `${code}: status and title`);
    for (const part of ['Means', 'Check', 'Do'])
      assert.match(entry, new RegExp(`^- \\*\\*${part}:\\*\\* \\S.+$`, 'm'), `${code}: ${part}`);
  }
});

test('every problem code is thrown somewhere', () => {
  const source = globSync('{schemas,infra/*,services/*}/src/**/*.ts', { cwd: root })
    .filter((file) => !/\.test\.ts$|problems\.ts$|conformance|\/trial\/|\/testing\//.test(file))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
    // To recognise a problem is not to throw it.
    .replaceAll(/isProblem\([^()]*\)/g, '');
  const dead = Object.keys(problems).filter((code) => !source.includes(`'${code}'`));
  assert.deepEqual(dead, []);
});
