import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { historyActs } from './acts.ts';
import { page, pageFile } from './page.ts';

test('docs/explanation/tamper-evidence.md is what the tests say', () => {
  assert.equal(readFileSync(pageFile, 'utf8'), page(), 'run `node services/audit/src/tampering/page.ts`');
});

test('each way to rewrite history that the page tells of has the test it names', () => {
  for (const { file, test: title } of historyActs)
    assert.ok(
      readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8').includes(title),
      `${file}: ${title}`,
    );
});
