import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PosternYaml } from '@postern/schemas';
import { mistakeText, readYamlFile } from './yaml-file.ts';

const file = (text: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'postern-config-')), 'postern.yaml');
  writeFileSync(path, text);
  return path;
};
const mistakes = (text: string, environment: Record<string, string> = {}): string[] => {
  const read = readYamlFile(file(text), PosternYaml, environment);
  return read.outcome === 'mistaken'
    ? read.mistakes.map((mistake) => mistakeText(mistake).replace(/^.*postern\.yaml:/, ''))
    : [];
};

test('tells every mistake at once, each with its line', () => {
  const told = mistakes(
    [
      'listen: nowhere',
      'servces: {}',
      'services:',
      '  payroll:',
      '    upstream: ftp://x',
      '    mount: payroll',
      'leaseMs: 1',
      '',
    ].join('\n'),
  );
  assert.deepEqual(
    told.map((line) => line.split(':')[0]),
    ['1', '5', '6', '7', '2'],
  );
  assert.match(told.join('\n'), /HOST:PORT/);
  assert.match(told.join('\n'), /unknown key "servces"/);
});

test('takes secrets from the environment, and names the one that is not set', () => {
  const text = 'auditStore: postgres://postern:${DB_PASSWORD}@db/postern\n';
  assert.match(mistakes(text)[0] ?? '', /^1: \$\{DB_PASSWORD\} is not set: set the environment variable/);
  const read = readYamlFile(file(text), PosternYaml, { DB_PASSWORD: 'x' });
  assert.equal(read.outcome === 'read' && read.value.auditStore, 'postgres://postern:x@db/postern');
});

test('names a broken line of YAML and a key given twice', () => {
  assert.match(mistakes('listen: [1\nservices: {}\n')[0] ?? '', /^\d:/);
  assert.match(mistakes('data: a\ndata: b\n')[0] ?? '', /^2: Map keys must be unique/);
});

test('an empty file is the default configuration', () => {
  const read = readYamlFile(file(''), PosternYaml);
  assert.equal(read.outcome === 'read' && read.value.listen, '127.0.0.1:8080');
});
