import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { matrixText, readMatrix } from './conformance-matrix.ts';

const line = (result: 'passed' | 'failed' | 'skipped', name: string, because?: string) => ({
  suite: 'event-log',
  backend: 'kafka',
  case: name,
  result,
  ...(because !== undefined && { because }),
});

test('each suite and backend has a row, and an exception stands with its reason', () => {
  const text = matrixText([line('passed', 'a'), line('skipped', 'b', 'no network'), line('failed', 'c')]);
  assert.deepEqual(text.split('\n').slice(1), [
    'suite      backend  passed  failed  excepted',
    'event-log  kafka    1       1       1',
    '  not "b": no network',
    '  FAILED "c"',
  ]);
});

test('nothing run is no table, and a broken line is an error', () => {
  assert.equal(matrixText(readMatrix('/nowhere/at/all')), '');
  const file = join(mkdtempSync(join(tmpdir(), 'postern-matrix-')), 'matrix');
  writeFileSync(file, '{"suite":"x"}\n');
  assert.throws(() => readMatrix(file));
});
