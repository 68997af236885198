/** audit keys: the keys that sign checkpoints, listed and rotated where their file is. */
import { logKeys, parseSigningKeys, retiredKeys, rotatedKeys } from '@postern/audit/app';
import { dataFolder, loadConfig, replaceSecret, within } from '@postern/runtime';
import { vkeyText } from '@postern/schemas/tlog';
import type { Command } from 'commander';
import { readTextFile } from '../input.ts';
import { print, tell } from '../output.ts';
import { logNames } from './audit-log.ts';

type KeyOptions = { readonly config: string; readonly data?: string };

const place = ({ config, data }: KeyOptions): { readonly file: string; readonly origin: string } => {
  const loaded = loadConfig(config, process.env);
  const { key, origin } = loaded.config.audit;
  const folder = data ?? dataFolder(loaded);
  return { origin, file: key === undefined ? `${folder}/audit.key` : within(loaded.folder, key) };
};

export const keyCommands = (audit: Command): void => {
  const keys = audit.command('keys').description('the keys that sign checkpoints');
  const withFile = (command: Command): Command =>
    command
      .option('--config <file>', 'the configuration', 'postern.yaml')
      .option('--data <dir>', 'the data folder, where the configuration names no key file');

  const list = async ({ file, origin }: ReturnType<typeof place>): Promise<void> => {
    const parsed = parseSigningKeys(readTextFile(file));
    for (const log of logNames) {
      const { known } = await logKeys(`${origin}/${log}`, parsed);
      for (const key of known) print(vkeyText(key));
    }
  };
  const change = async (options: KeyOptions, how: (text: string) => string, said: string): Promise<void> => {
    const found = place(options);
    await replaceSecret(found.file, how(readTextFile(found.file)));
    await list(found);
    tell(said);
  };

  withFile(keys.command('list'))
    .description('the verifier keys of both logs, newest first: hand them to whoever verifies')
    .action((options: KeyOptions) => list(place(options)));
  withFile(keys.command('rotate'))
    .description(
      'put a new key before those that are there: from the next start on every checkpoint has both signatures',
    )
    .action((options: KeyOptions) =>
      change(
        options,
        rotatedKeys,
        'restart the audit service, hand out the new verifier keys, and retire the old key later',
      ),
    );
  withFile(keys.command('retire'))
    .description('let the newest key alone sign; of the others the public part is kept, for what they have signed')
    .action((options: KeyOptions) => change(options, retiredKeys, 'restart the audit service'));
};
