#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
/** `postern`: everything from a terminal. Exit codes: docs/reference/cli.md. */
import { isProblem, problems } from '@postern/schemas';
import { CommanderError } from 'commander';
import { CommandFailure, exitCodes } from './failure.ts';
import { tell } from './output.ts';
import { posternProgram } from './program.ts';

try {
  await posternProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  else {
    tell(describe(error));
    process.exitCode = error instanceof CommandFailure ? error.exitCode : exitCodes.refused;
  }
}

function describe(error: unknown): string {
  if (error instanceof CommandFailure) return `postern: ${error.message}`;
  if (isProblem(error)) {
    const { title } = problems[error.code];
    const said = [error.detail, error.fix].flatMap((part) => part?.split('\n') ?? []).map((line) => line.trim());
    return [`postern: ${title}`, ...said.filter(Boolean), `(${error.code}; docs/failure-modes.md says more)`].join(
      '\n  ',
    );
  }
  return `postern: unexpected failure\n${error instanceof Error ? error.stack : String(error)}`;
}
