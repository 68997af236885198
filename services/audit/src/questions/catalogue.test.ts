import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { questions } from './catalogue.ts';

test('the page for auditors has every question with its clauses, as the catalogue has them', () => {
  const page = readFileSync(new URL('../../../../docs/how-to/answer-an-auditor.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| \d+ \|/.test(line));
  assert.deepEqual(
    rows,
    questions.map(
      ({ number, asks, clauses: { soc2, iso27001, pciDss, hipaa } }) =>
        `| ${[number, asks, soc2, iso27001, pciDss, hipaa].join(' | ')} |`,
    ),
  );
});

test('there are 25, each asked with nothing twice', () => {
  assert.deepEqual(
    questions.map(({ number }) => number),
    Array.from({ length: 25 }, (_, at) => at + 1),
  );
  for (const { needs, takes } of questions)
    assert.equal(new Set([...needs, ...takes]).size, needs.length + takes.length);
});
