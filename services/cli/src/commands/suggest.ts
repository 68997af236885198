/** suggest: the smallest roles that would have allowed what was used, as a diff of roles.yaml; and what is held without being used. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { foldLog, type Suggestion, suggest, suggestionDiff } from '@postern/modelling/app';
import { loadConfig, within } from '@postern/runtime';
import type { Command } from 'commander';
import { bench } from '../bench.ts';
import { CommandFailure } from '../client.ts';
import { printJson, readableTime, tell } from '../output.ts';
import { type RecordedOptions, readRecorded } from '../recorded.ts';

type Options = RecordedOptions & { config: string; adoption: string; json?: boolean };

export const suggestCommand = (program: Command): void => {
  program
    .command('suggest')
    .description('the smallest roles that would have allowed what was used: a diff of roles.yaml on stdout')
    .requiredOption('--against <source>', 'a gate (http…), a folder or file of NDJSON decisions, or an access log')
    .option('--facts <source>', 'the facts under them: a gate or an NDJSON file (default: where the calls come from)')
    .option('--since <time>', 'only calls from then on: a duration back from now such as 30d, or an instant', '30d')
    .option('--config <file>', 'the configuration that names roles.yaml', 'postern.yaml')
    .option(
      '--adoption <percent>',
      'of a group or department, so many must have used something for it to get that',
      '50',
    )
    .option('--key <key>', 'an API key (default: POSTERN_KEY, then admin.key in the data folder)')
    .option('--data <dir>', 'the data folder whose admin.key is used', './.postern')
    .option('--json', 'print JSON instead of a diff')
    .action(async (options: Options) => {
      const adoption = Number(options.adoption) / 100;
      if (!(adoption > 0 && adoption <= 1))
        throw new CommandFailure(`--adoption takes a percentage from 1 to 100, not "${options.adoption}"`, 64);
      const { config, folder } = loadConfig(options.config, process.env);
      const named = config.model.roles;
      if (named === undefined)
        throw new CommandFailure(`${options.config} names no model.roles: there is no file to propose a change of`, 1);
      const { facts, uses, sinceMs } = await readRecorded(options);
      await using live = await foldLog(bench, facts);
      const suggestion = await suggest({ live, uses, adoption, ...(sinceMs !== undefined && { sinceMs }) });
      if (options.json) return printJson({ ...suggestion, asksFor: Object.fromEntries(suggestion.asksFor) });
      const file = within(folder, named);
      const diff = suggestionDiff(suggestion, {
        file: relative(process.cwd(), file),
        text: readFileSync(file, 'utf8'),
      });
      if (diff !== '') process.stdout.write(diff);
      for (const line of notesOf(suggestion)) tell(line);
    });
};

const namedMax = 5;
const list = (names: readonly string[]): string =>
  `${names.slice(0, namedMax).join(', ')}${names.length > namedMax ? `, and ${names.length - namedMax} more` : ''}`;
const calls = (many: number): string => `${many.toLocaleString('en')} ${many === 1 ? 'call' : 'calls'}`;

/** On stderr, so that stdout is a diff and nothing else. */
const notesOf = (suggestion: Suggestion): string[] => {
  const { proposals, grants, remaining, unused, refusals, read, from, until, leftOut } = suggestion;
  const given = proposals.flatMap(({ role, holders }) => holders.map((subject) => ({ role: role as string, subject })));
  const all = [...given, ...grants];
  return [
    read === 0
      ? 'no calls that got through were found in the window'
      : `${calls(read)} that got through, from ${readableTime(from)} to ${readableTime(until)}`,
    ...leftOut.map(
      ({ why, uses, example }) => `  ${uses} not looked at: ${why}${example ? ` (first at ${example})` : ''}`,
    ),
    ...(proposals.length === 0 && grants.length === 0
      ? [
          remaining.length === 0
            ? 'nothing to propose: the live roles allow everything that was used'
            : 'nothing to propose that a role would answer',
        ]
      : []),
    ...(all.length > 0 ? ['once that is published, these grants belong to it:'] : []),
    ...all.map(({ role, subject }) => `  postern grant ${subject} ${role} --reason "used before"`),
    ...refusals.map((refusal) => `refused as it stands: ${refusal}`),
    ...(remaining.length > 0 ? ['with all of it in force, these calls would still be refused:'] : []),
    ...remaining.map(
      ({ endpoint, what, callers, uses, example }) =>
        `  ${endpoint}: ${what} (${calls(uses)} by ${callers}, for instance ${example})`,
    ),
    ...unused.map(
      ({ role, holders, endpoints, of }) =>
        `unused: ${role} (held by ${holders}): ${endpoints.length} of its ${of} endpoints no holder called: ${list(endpoints)}`,
    ),
  ];
};
