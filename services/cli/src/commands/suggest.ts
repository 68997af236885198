/** suggest: the smallest roles that would have allowed what was used, as a diff of roles.yaml; and what is held without being used. */
import { readFileSync } from 'node:fs';
import { foldLog, suggest, suggestionDiff } from '@postern/modelling/app';
import { loadConfig, within } from '@postern/runtime';
import type { Command } from 'commander';
import { bench } from '../bench.ts';
import { CommandFailure } from '../client.ts';
import { print, printJson, tell } from '../output.ts';
import { type RecordedOptions, readRecorded } from '../recorded.ts';

type Options = RecordedOptions & { config: string; json?: boolean };

export const suggestCommand = (program: Command): void => {
  program
    .command('suggest')
    .description('the smallest roles that would have allowed what was used: a diff of roles.yaml on stdout')
    .requiredOption('--against <source>', 'a gate (http…), a folder or file of NDJSON decisions, or an access log')
    .option('--facts <source>', 'the facts under them: a gate or an NDJSON file (default: where the calls come from)')
    .option('--since <time>', 'only calls from then on: a duration back from now such as 30d, or an instant', '30d')
    .option('--config <file>', 'the configuration that names roles.yaml', 'postern.yaml')
    .option('--key <key>', 'an API key (default: POSTERN_KEY, then admin.key in the data folder)')
    .option('--data <dir>', 'the data folder whose admin.key is used', './.postern')
    .option('--json', 'print JSON instead of a diff')
    .action(async (options: Options) => {
      const { config, folder } = loadConfig(options.config, process.env);
      const named = config.model.roles;
      if (named === undefined)
        throw new CommandFailure(`${options.config} names no model.roles: there is no file to propose a change of`, 1);
      const { facts, uses, sinceMs } = await readRecorded(options);
      await using live = await foldLog(bench, facts);
      const suggestion = await suggest({ live, uses, ...(sinceMs !== undefined && { sinceMs }) });
      if (options.json) return printJson(suggestion);
      const { proposals, unused, read, from, until, leftOut } = suggestion;
      tell(
        read === 0
          ? 'no calls that got through were found in the window'
          : `${read} calls that got through, from ${from} to ${until}`,
      );
      for (const { why, uses } of leftOut) tell(`  ${uses} not looked at: ${why}`);
      const diff = suggestionDiff(suggestion, { file: named, text: readFileSync(within(folder, named), 'utf8') });
      if (diff === '') tell('nothing to propose: the live roles allow everything that was used');
      else print(diff.trimEnd());
      for (const { role, for: whom, rules } of proposals)
        if (rules.birthright === undefined)
          tell(`${role} is for ${whom}: postern grant ${whom} ${role} --reason "used before"`);
      for (const { role, endpoint, holders } of unused)
        tell(`unused: ${role} (held by ${holders}) allows ${endpoint}, which no holder called`);
    });
};
