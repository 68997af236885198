import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Command } from 'commander';
import { posternProgram } from './program.ts';
import { referenceFile, referenceText } from './reference.ts';

test('docs/reference/cli.md is what the commands say of themselves', () => {
  assert.equal(
    readFileSync(referenceFile, 'utf8'),
    referenceText(),
    'write it anew: node services/cli/src/reference.ts',
  );
});

test('every command and every option says what it is for', () => {
  const silent: string[] = [];
  const look = (command: Command, name: string): void => {
    if (command.description() === '') silent.push(name);
    for (const { flags, description } of command.options) if (description === '') silent.push(`${name} ${flags}`);
    for (const each of command.commands) look(each, `${name} ${each.name()}`);
  };
  look(posternProgram(), 'postern');
  assert.deepEqual(silent, []);
});
