/** Everything that `postern` can be asked, put together. docs/reference/cli.md is made from it. */
import { existsSync, readFileSync } from 'node:fs';
import { eventLogUrl, type LoadedConfig, loadConfig } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import { Command } from 'commander';
import { accessCommands } from './commands/access.ts';
import { askCommands } from './commands/ask.ts';
import { auditCommands } from './commands/audit.ts';
import { checkCommand } from './commands/check.ts';
import { feedCommands } from './commands/feeds.ts';
import { initCommand } from './commands/init.ts';
import { noticeCommands } from './commands/notices.ts';
import { previewCommand } from './commands/preview.ts';
import { privacyCommands } from './commands/privacy.ts';
import { publishCommand } from './commands/publish.ts';
import { requestCommands } from './commands/requests.ts';
import { reviewCommands } from './commands/reviews.ts';
import { suggestCommand } from './commands/suggest.ts';
import { CommandFailure, exitCodes } from './failure.ts';
import { wholeNumber } from './input.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const rooms = ['proxy', 'authorizer', 'grants', 'audit', 'console'] as const;

/** The command with all its commands, not run yet. */
export const posternProgram = (): Command => {
  const program = new Command('postern')
    .description('Least-privilege API access: every request asks a relationship graph, every grant is a provable fact.')
    .showHelpAfterError('(postern --help lists the commands)')
    .version(version)
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
  previewCommand(program);
  suggestCommand(program);
  publishCommand(program);
  accessCommands(program);
  feedCommands(program);
  requestCommands(program);
  reviewCommands(program);
  noticeCommands(program);
  privacyCommands(program);
  askCommands(program);
  auditCommands(program);
  return program;
};

/** A log in a file has one owner, so a room by itself would be alone with it. */
function requireReachableLog(loaded: LoadedConfig, room: string): void {
  if (eventLogUrl(loaded).startsWith('kafka:')) return;
  throw new Problem('runtime/bad-config', {
    detail: `${loaded.file}:${loaded.lineOf(['eventLog'])}: ${room} by itself needs an event log that the other services reach too`,
    fix: 'Name one, as in eventLog: kafka://HOST:PORT/PREFIX, or run everything in one process: postern up.',
  });
}
