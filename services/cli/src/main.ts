#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
/** `postern`: everything from a terminal. Exit codes: docs/reference/cli.md. */
import { existsSync } from 'node:fs';
import { eventLogUrl, type LoadedConfig, loadConfig } from '@postern/runtime';
import { isProblem, Problem, problems } from '@postern/schemas';
import { Command, CommanderError } from 'commander';
import { accessCommands } from './commands/access.ts';
import { askCommands } from './commands/ask.ts';
import { auditCommands } from './commands/audit.ts';
import { checkCommand } from './commands/check.ts';
import { initCommand } from './commands/init.ts';
import { CommandFailure, exitCodes } from './failure.ts';
import { wholeNumber } from './input.ts';
import { tell } from './output.ts';

const rooms = ['proxy', 'authorizer', 'grants', 'audit'] as const;

const program = new Command('postern')
  .description('Least-privilege API access: every request asks a relationship graph, every grant is a provable fact.')
  .showHelpAfterError('(postern --help lists the commands)')
  .exitOverride();

program
  .command('up')
  .description('every service in one process; with no postern.yaml here, the demo')
  .option('--config <file>', 'the configuration', 'postern.yaml')
  .option('--data <dir>', 'where the embedded world keeps its state; overrides the configuration')
  .option('--demo', 'the sample API, identity provider and organisation, whatever is configured here')
  .option(
    '--base-port <port>',
    'demo: take four ports in a row from here instead of 8080, 8081, 9001, 9002',
    wholeNumber(1, 65_532),
  )
  .action(async (options: { config: string; data?: string; demo?: boolean; basePort?: number }, command: Command) => {
    const named = command.getOptionValueSource('config') === 'cli';
    const { upCommand, demoCommand } = await import('./commands/up.ts');
    if (options.demo || (!named && !existsSync(options.config))) await demoCommand(options);
    else await upCommand(loadConfig(options.config, process.env), options.data);
  });

program
  .command('serve <room>')
  .description(`one service by itself, for the distributed world: ${rooms.join(', ')}`)
  .option('--config <file>', 'the configuration', 'postern.yaml')
  .action(async (room: string, { config }: { config: string }) => {
    const known = rooms.find((each) => each === room);
    if (known === undefined)
      throw new CommandFailure(`there is no service "${room}"; there are ${rooms.join(', ')}`, exitCodes.usage);
    const loaded = loadConfig(config, process.env);
    requireReachableLog(loaded, known);
    const { serve } = await import('./serve.ts');
    await serve(known, loaded);
  });

initCommand(program);
checkCommand(program);
accessCommands(program);
askCommands(program);
auditCommands(program);

try {
  await program.parseAsync();
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

/** A log in a file has one owner, so a room by itself would be alone with it. */
function requireReachableLog(loaded: LoadedConfig, room: string): void {
  if (eventLogUrl(loaded).startsWith('kafka:')) return;
  throw new Problem('runtime/bad-config', {
    detail: `${loaded.file}:${loaded.lineOf(['eventLog'])}: ${room} by itself needs an event log that the other services reach too`,
    fix: 'Name one, as in eventLog: kafka://HOST:PORT/PREFIX, or run everything in one process: postern up.',
  });
}
