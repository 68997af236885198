/** notices: webhooks out: who is told, how far each has come, sent again, tried out. */
import type { Command } from 'commander';
import { CommandFailure, callJson } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { wholeNumber } from '../input.ts';
import { print, printJson, printTable, readableTime } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Subscription = {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly behind: number;
  readonly after: number;
  readonly delivered: number;
  readonly givenUp: number;
  readonly failing?: { readonly attempts: number; readonly why: string; readonly nextAt: number };
  readonly disabled?: { readonly why: string };
};
type Tested = { readonly outcome: string; readonly status?: number; readonly why?: string; readonly id: string };

export const noticeCommands = (program: Command): void => {
  const notices = program.command('notices').description('webhooks out: who is told of what happens here');

  withConnection(notices.command('list'))
    .description('each subscription, and how far it has come')
    .action(async (options: Shared) => {
      const { items } = await callJson<{ items: Subscription[] }>(connect(options), '/notices');
      if (options.json) return printJson(items);
      printTable(
        ['NAME', 'STATE', 'AFTER', 'BEHIND', 'DELIVERED', 'GIVEN UP', 'URL', 'WHY'],
        items.map(({ name, state, after, behind, delivered, givenUp, url, failing, disabled }) => [
          name,
          state,
          after,
          behind,
          delivered,
          givenUp,
          url,
          disabled?.why ??
            (failing &&
              `${failing.why} (${failing.attempts} times; again ${readableTime(new Date(failing.nextAt).toISOString())})`),
        ]),
      );
    });
  withConnection(notices.command('replay <name>'))
    .description('send everything from a sequence on again, under the same webhook-ids; ends a 410 and a pause too')
    .requiredOption('--from <sequence>', 'the first fact to tell of', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .action(async (name: string, options: Shared & { from: number }) => {
      const shown = await callJson<Subscription>(connect(options), `${pathOf(name)}/replay`, {
        method: 'POST',
        body: { from: options.from },
      });
      if (options.json) printJson(shown);
      else print(`${name} begins again after sequence ${shown.after}`);
    });
  withConnection(notices.command('resume <name>'))
    .description('try again now: after a 410, or before a pause is over')
    .action(async (name: string, options: Shared) => {
      const shown = await callJson<Subscription>(connect(options), `${pathOf(name)}/resume`, { method: 'POST' });
      if (options.json) printJson(shown);
      else print(`${name} goes on after sequence ${shown.after}`);
    });
  withConnection(notices.command('test <name>'))
    .description('send one signed notice of type postern.notice.tested.v1 now, and say what came of it')
    .action(async (name: string, options: Shared) => {
      const tested = await callJson<Tested>(connect(options), `${pathOf(name)}/test`, { method: 'POST' });
      if (options.json) printJson(tested);
      else if (tested.outcome === 'delivered') print(`${name} took ${tested.id} (${tested.status})`);
      if (tested.outcome !== 'delivered')
        throw new CommandFailure(
          `${name} did not take it: ${tested.why ?? `it answered ${tested.status}`}`,
          exitCodes.refused,
        );
    });
};

const pathOf = (name: string): string => `/notices/${encodeURIComponent(name)}`;
