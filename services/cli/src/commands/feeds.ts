/** feeds: what other systems sent and what is not settled: what waits, what lies in quarantine, and a rule tried out. */
import { loadConfig } from '@postern/runtime';
import type { Command } from 'commander';
import { CommandFailure, callJson } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { parseJson, readTextFile } from '../input.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection, withWait } from './connect.ts';
import { importCommand } from './feeds-import.ts';

type Scheduled = {
  readonly id: string;
  readonly due: string;
  readonly by: string;
  readonly event: { readonly source: string; readonly id: string; readonly type: string; readonly subject?: string };
};
type Quarantined = {
  readonly id: string;
  readonly from: string;
  readonly position: string;
  readonly why: string;
  readonly recorded: string;
  readonly event?: { readonly source: string; readonly id: string };
};
type Shown = Quarantined & { readonly content?: unknown; readonly text?: string; readonly base64?: string };
type Settled = { readonly sequence: number };

const itemsOf = async <Item>(options: Shared, path: string): Promise<Item[]> =>
  (await callJson<{ items: Item[] }>(connect(options), path)).items;

export const feedCommands = (program: Command): void => {
  const feeds = program
    .command('feeds')
    .description('what HR and identity systems sent: what waits, what could not be applied');

  withConnection(feeds.command('scheduled'))
    .description('events that are due later, and what was said of people who have not joined')
    .action(async (options: Shared) => {
      type Waiting = { readonly principal: string; readonly attributes: object };
      type Edge = { readonly member: string; readonly in: string };
      const body = await callJson<{ items: Scheduled[]; waiting: Waiting[]; waitingEdges: Edge[] }>(
        connect(options),
        '/feeds/scheduled',
      );
      if (options.json) return printJson(body);
      printTable(
        ['DUE', 'TYPE', 'SUBJECT', 'SOURCE', 'EVENT', 'BY', 'ID'],
        body.items.map(({ id, due, by, event }) => [
          readableTime(due),
          event.type,
          event.subject,
          event.source,
          event.id,
          by,
          id,
        ]),
      );
      for (const { principal, attributes } of body.waiting)
        tell(`${principal} has not joined; said of them so far: ${JSON.stringify(attributes)}`);
      for (const edge of body.waitingEdges) tell(`${edge.member} is not here; they are to be in ${edge.in}`);
    });

  withConnection(feeds.command('cancel <id>'))
    .description('cancel an event that is due later')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .action(async (id: string, options: Shared & { reason: string }) => {
      const cancelled = await callJson<Settled>(connect(options), `/feeds/scheduled/${encodeURIComponent(id)}`, {
        method: 'DELETE',
        body: { reason: options.reason },
      });
      settled(options, cancelled, `cancelled ${id}`);
    });

  feeds
    .command('try <rule> <file>')
    .description('what a rule of feeds.yaml makes of a message ("-" for standard input); nothing is sent')
    .option('--config <file>', 'the configuration that names the rules', 'postern.yaml')
    .action(async (rule: string, file: string, { config }: { config: string }) => {
      const { loadFeedRules, mappings } = await import('@postern/grants/app');
      const message = parseJson(readTextFile(file), file);
      await using foreign = mappings(loadFeedRules(loadConfig(config, process.env)));
      printJson(await foreign.map(foreign.named(rule), message));
    });

  importCommand(feeds);

  const quarantine = feeds.command('quarantine').description('events that could not be applied');
  withConnection(quarantine.command('list'))
    .description('what lies there, and why')
    .action(async (options: Shared) => {
      const items = await itemsOf<Quarantined>(options, '/feeds/quarantine');
      if (options.json) return printJson(items);
      printTable(
        ['SINCE', 'FROM', 'POSITION', 'EVENT', 'WHY', 'ID'],
        items.map(({ id, from, position, why, recorded, event }) => [
          readableTime(recorded),
          from,
          position.slice(0, 20),
          event && `${event.source} ${event.id}`,
          why,
          id,
        ]),
      );
    });
  withConnection(quarantine.command('show <id>'))
    .description('one of them, with its content as it came')
    .action(async (id: string, options: Shared) => {
      const shown = await callJson<Shown>(connect(options), pathOf(id));
      if (options.json) return printJson(shown);
      const { why, from, position, recorded, content, text, base64 } = shown;
      tell(`${why}\nfrom ${from} at ${position}, ${readableTime(recorded)}`);
      print(content === undefined ? (text ?? base64 ?? '') : JSON.stringify(content, undefined, 2));
    });
  withWait(withConnection(quarantine.command('fix <id> <file>')))
    .description('apply other content in its place ("-" for standard input); who did and why stands in the record')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .action(async (id: string, file: string, options: Shared & { reason: string }) => {
      const content = parseJson(readTextFile(file), file);
      const fixed = await callJson<Settled>(connect(options), `${pathOf(id)}/fix`, {
        method: 'POST',
        body: { content, reason: options.reason },
        query: { wait: options.wait },
      });
      settled(options, fixed, `applied ${id} as it stands in ${file}`);
    });
  withWait(withConnection(quarantine.command('replay [ids...]')))
    .description('apply them as they came, now that their cause is gone')
    .option('--all', 'everything that lies there, in the order it came')
    .option('--reason <text>', 'what was done about it')
    .action(async (ids: string[], options: Shared & { all?: boolean; reason?: string }) => {
      if ((ids.length === 0) === (options.all !== true))
        throw new CommandFailure('name ids, or say --all', exitCodes.usage);
      const chosen = options.all ? (await itemsOf<Quarantined>(options, '/feeds/quarantine')).map(({ id }) => id) : ids;
      const failures: string[] = [];
      const applied: unknown[] = [];
      for (const id of chosen)
        try {
          const replayed = await callJson<Settled>(connect(options), `${pathOf(id)}/replay`, {
            method: 'POST',
            body: { reason: options.reason },
            query: { wait: options.wait },
          });
          applied.push(replayed);
          if (!options.json) print(`applied ${id} at sequence ${replayed.sequence}`);
        } catch (error) {
          if (!(error instanceof CommandFailure) || error.exitCode === exitCodes.couldNotAsk) throw error;
          failures.push(`${id} stays: ${error.message}`);
        }
      if (options.json) printJson(applied);
      if (failures.length > 0) throw new CommandFailure(failures.join('\n'), exitCodes.refused);
    });
  withConnection(quarantine.command('dismiss <id>'))
    .description('give one of them up')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .action(async (id: string, options: Shared & { reason: string }) => {
      const dismissed = await callJson<Settled>(connect(options), `${pathOf(id)}/dismiss`, {
        method: 'POST',
        body: { reason: options.reason },
      });
      settled(options, dismissed, `gave up ${id}`);
    });
};

const pathOf = (id: string): string => `/feeds/quarantine/${encodeURIComponent(id)}`;
const settled = (options: Shared, answer: Settled, what: string): void => {
  if (options.json) printJson(answer);
  else print(`${what} at sequence ${answer.sequence}`);
};
