/** The workbench as the command runs it: the corpus of broken files, assertions on the real engine, comparison, formats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corpusCases, corpusReport } from '../trial/corpus.ts';
import { checkDeps } from './check.ts';

test('every broken file of the corpus is told with its place and its fix, and with nothing else', async () => {
  const cases = corpusCases();
  assert.ok(cases.length >= 60, `${cases.length} cases`);
  const wrong: string[] = [];
  for (const each of cases) {
    assert.ok(each.expected.length > 0, `${each.kind}/${each.name} expects nothing`);
    const told = await corpusReport(checkDeps, each);
    const missing = each.expected.filter((line) => !told.includes(line));
    const further = told.filter((line) => !each.expected.includes(line));
    if (missing.length + further.length > 0)
      wrong.push(
        [
          `${each.kind}/${each.name}`,
          ...missing.map((line) => `  - ${line}`),
          ...further.map((line) => `  + ${line}`),
        ].join('\n'),
      );
  }
  assert.equal(wrong.length, 0, `\n${wrong.join('\n')}\n(- expected, + told)`);
});
