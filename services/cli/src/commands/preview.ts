/** preview: the calls that were made, asked again of the files here. Exit 2 where somebody would be refused, 3 where somebody would get in. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import {
  foldBoth,
  preview,
  previewExit,
  previewJson,
  previewJunit,
  previewMarkdown,
  previewText,
  WantedYaml,
  wantedBy,
} from '@postern/modelling/app';
import { type LoadedModel, loadConfig, loadModel, mistakeText, readYamlFile } from '@postern/runtime';
import type { EndpointId, RoleName } from '@postern/schemas';
import type { Command } from 'commander';
import { bench } from '../bench.ts';
import { CommandFailure } from '../client.ts';
import { print } from '../output.ts';
import { type RecordedOptions, readRecorded } from '../recorded.ts';

const formats = { text: previewText, json: previewJson, markdown: previewMarkdown, junit: previewJunit } as const;
type Options = RecordedOptions & { config: string; format: string; wanted?: string };

export const previewCommand = (program: Command): void => {
  program
    .command('preview')
    .description(
      'what the files here would do to the calls that were made; exit 2 refuses somebody, 3 lets somebody in',
    )
    .requiredOption('--against <source>', 'a gate (http…), a folder or file of NDJSON decisions, or an access log')
    .option('--facts <source>', 'the facts under them: a gate or an NDJSON file (default: where the calls come from)')
    .option('--since <time>', 'only calls from then on: a duration back from now such as 7d, or an instant')
    .option('--config <file>', 'the configuration that names the files', 'postern.yaml')
    .option('--format <format>', Object.keys(formats).join(', '), 'text')
    .option('--wanted <file>', 'a list of flips that are meant: user:ann GET /path, or role:name service/operation')
    .option('--key <key>', 'an API key (default: POSTERN_KEY, then admin.key in the data folder)')
    .option('--data <dir>', 'the data folder whose admin.key is used', './.postern')
    .action(async (options: Options) => {
      const format = formats[options.format as keyof typeof formats];
      if (format === undefined)
        throw new CommandFailure(
          `there is no format "${options.format}"; there are ${Object.keys(formats).join(', ')}`,
          64,
        );
      const model = loadModel(loadConfig(options.config, process.env));
      const recorded = await readRecorded(options);
      await using both = await foldBoth(bench, recorded.facts, model);
      const { live, here, dropped, aside } = both;
      const routes = {
        live: live.organisation.services.values().toArray(),
        here: here.organisation.services.values().toArray(),
      };
      const result = await preview({
        live,
        here,
        dropped,
        aside,
        uses: recorded.uses,
        places: placesOf(model),
        wanted: wantedBy(readWanted(options.wanted), routes),
        ...(recorded.sinceMs !== undefined && { sinceMs: recorded.sinceMs }),
      });
      print(format(result));
      process.exitCode = previewExit(result);
    });
};

const readWanted = (file: string | undefined): WantedYaml => {
  if (file === undefined) return [];
  if (!existsSync(file)) throw new CommandFailure(`${file} does not exist`, 1);
  const read = readYamlFile(file, WantedYaml);
  if (read.outcome === 'unreadable') throw new CommandFailure(`${file}: ${read.why}`, 1);
  if (read.outcome === 'mistaken') throw new CommandFailure(read.mistakes.map(mistakeText).join('\n'), 1);
  return read.value;
};

const placesOf = ({ places, roles }: LoadedModel) => {
  const shown = ({ file, line }: { file: string; line: number }): string => `${relative(process.cwd(), file)}:${line}`;
  return {
    role: (role: string) => (roles.has(role as RoleName) ? shown(places.role(role as RoleName)) : undefined),
    endpoint: (endpoint: EndpointId) =>
      endpoint.startsWith('postern/') ? undefined : shown(places.endpoint(endpoint)),
  };
};
