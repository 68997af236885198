#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
/** `postern`: everything from a terminal. Exit codes: docs/reference/cli.md. */
import { existsSync } from 'node:fs';
import { loadConfig } from '@postern/runtime';
import { isProblem } from '@postern/schemas';
import { Command, CommanderError } from 'commander';
import { CommandFailure } from './client.ts';
import { accessCommands } from './commands/access.ts';
import { askCommands } from './commands/ask.ts';
import { auditCommands } from './commands/audit.ts';
import { checkCommand } from './commands/check.ts';
import { initCommand } from './commands/init.ts';
import { previewCommand } from './commands/preview.ts';
import { publishCommand } from './commands/publish.ts';
import { suggestCommand } from './commands/suggest.ts';
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
  .option('--base-port <port>', 'demo: take four ports in a row from here instead of 8080, 8081, 9001, 9002')
  .action(async (options: { config: string; data?: string; demo?: boolean; basePort?: string }, command: Command) => {
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
      throw new CommandFailure(`there is no service "${room}"; there are ${rooms.join(', ')}`, 1);
    const { serve } = await import('./serve.ts');
    await serve(known, loadConfig(config, process.env));
  });

initCommand(program);
checkCommand(program);
previewCommand(program);
suggestCommand(program);
publishCommand(program);
accessCommands(program);
askCommands(program);
auditCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 64;
  else {
    tell(describe(error));
    process.exitCode = error instanceof CommandFailure ? error.exitCode : 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof CommandFailure) return `postern: ${error.message}`;
  if (isProblem(error)) return `postern: ${error.message}\n  (${error.code}; docs/failure-modes.md says more)`;
  return `postern: unexpected failure\n${error instanceof Error ? error.stack : String(error)}`;
}
