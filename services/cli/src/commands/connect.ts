/** The options that every command of the admin API shares. */
import { type Command, Option } from 'commander';
import { type Connection, type ConnectionOptions, connection } from '../client.ts';

export type Shared = ConnectionOptions & { readonly json?: boolean; readonly wait?: string };

export const withConnection = (command: Command): Command =>
  command
    .option('--gate <url>', 'the gate (default: POSTERN_URL, then http://127.0.0.1:8080)')
    .option(
      '--key <key>',
      'an API key, or a token of your identity provider (default: POSTERN_KEY, then admin.key in the data folder)',
    )
    .option('--data <dir>', 'the data folder whose admin.key is used', './.postern')
    .option('--json', 'print JSON instead of a table');

export const withWait = (command: Command): Command =>
  command.addOption(new Option('--wait <what>', 'answer only once no proxy allows otherwise').choices(['enforced']));

export const connect = (options: ConnectionOptions): Connection => connection(options, process.env);
