/** publish: the reviewed files become facts, all or nothing. */
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { loadConfig, loadModel, mistakeText } from '@postern/runtime';
import { encodeId } from '@postern/schemas';
import type { Command } from 'commander';
import { CommandFailure, failureOf, request } from '../client.ts';
import { print, printJson, tell } from '../output.ts';
import { connect, type Shared, withConnection, withWait } from './connect.ts';

type Published = {
  readonly sequence: number;
  readonly enforced: boolean;
  readonly proxies?: number;
  readonly facts: number;
  readonly schema: 'changed' | 'unchanged';
  readonly services: readonly string[];
  readonly defined: readonly string[];
  readonly changed: readonly string[];
  readonly retired: readonly string[];
  readonly left?: readonly string[];
};
type PublishOptions = Shared & { config: string; commit?: string; author?: string; retire?: boolean };

export const publishCommand = (program: Command): void => {
  withWait(withConnection(program.command('publish')))
    .description('make the schema, routes and roles of the files here live: one append, all or nothing')
    .option('--config <file>', 'the configuration that names the files', 'postern.yaml')
    .option(
      '--commit <id>',
      "the commit that stands in the facts (default: git's HEAD, where the files are unchanged since)",
    )
    .option(
      '--author <name>',
      "who wrote the commit, by the name that your identity provider gives (user:NAME in the facts); the actor stays the key's owner",
    )
    .option('--retire', 'retire roles that came from files before and that no file defines now')
    .action(async (options: PublishOptions) => {
      const loaded = loadConfig(options.config, process.env);
      const model = loadModel(loaded);
      for (const note of model.notes) tell(`note: ${mistakeText(note)}`);
      const commit = options.commit ?? commitOf(dirname(loaded.file));
      const response = await request(connect(options), '/model', {
        method: 'POST',
        body: {
          schema: model.schema,
          services: model.services,
          roles: Object.fromEntries(model.roles),
          commit,
          ...(options.author !== undefined && { author: principalOf(options.author) }),
          ...(options.retire && { retireRoles: true }),
        },
        query: { wait: options.wait },
      });
      if (!response.ok) throw await failureOf(response);
      const published = (await response.json()) as Published;
      if (options.json) return printJson(published);
      for (const line of said(published, commit)) print(line);
      for (const role of published.left ?? [])
        tell(
          `note: the role ${role} came from files before and none defines it now; it stays live (--retire retires it)`,
        );
    });
};

const said = (published: Published, commit: string | undefined): string[] => {
  const { sequence, enforced, proxies, facts, schema, services, defined, changed, retired } = published;
  if (facts === 0) return [`nothing to publish: the files say what is live at sequence ${sequence}`];
  const lists = { 'routes of': services, defined, changed, retired };
  return [
    `published ${facts} facts${commit === undefined ? '' : ` from commit ${commit.slice(0, 12)}`} at sequence ${sequence}${enforced ? `, enforced by ${proxies === 1 ? 'the proxy' : `all ${proxies} proxies`}` : ''}`,
    ...(schema === 'changed' ? ['  the schema'] : []),
    ...Object.entries(lists).flatMap(([what, names]) => (names.length > 0 ? [`  ${what} ${names.join(', ')}`] : [])),
  ];
};

/** A bare name is a person's; what a graph's id cannot hold, as in a bot's `name[bot]`, is written as `encodeId` does. */
const principalOf = (author: string): string =>
  /^(user|workload):/.test(author) ? author : `user:${encodeId(author)}`;

/** A commit that does not hold what is published would be a false witness, so a changed working tree has none. */
const commitOf = (folder: string): string | undefined => {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  let head: string;
  let changes: string;
  try {
    head = git('rev-parse', 'HEAD');
    changes = git('status', '--porcelain', '--untracked-files=no', '--', '.');
  } catch {
    return undefined;
  }
  if (changes === '') return head;
  throw new CommandFailure(
    `the files here differ from commit ${head.slice(0, 12)}: commit them, or say with --commit what they are`,
    1,
  );
};
