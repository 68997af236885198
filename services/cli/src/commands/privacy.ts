/** privacy, hold: what is held of a person, erasing it, and what has to stay. */
import type { Command } from 'commander';
import { callJson } from '../client.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Text = { readonly sequence: number; readonly member: string; readonly text: string; readonly author: string };
type Held = {
  readonly subject: string;
  readonly state: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
  readonly grants: readonly { readonly role: string }[];
  readonly keys: readonly { readonly id: string }[];
  readonly profile: Readonly<Record<string, unknown>> | null;
  readonly texts: readonly Text[];
  readonly written: readonly Text[];
  readonly erased: number | null;
  readonly holds: readonly Hold[];
};
type Hold = {
  readonly id: string;
  readonly on: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly ticket?: string;
  readonly by: string;
  readonly placed: string;
};
type Why = Shared & { readonly reason: string; readonly ticket?: string };

const withWhy = (command: Command): Command =>
  withConnection(command)
    .requiredOption('--reason <text>', 'why; stays in the record, so it names nobody')
    .option('--ticket <id>', 'where it was asked for');
const whyOf = ({ reason, ticket }: Why) => ({ reason, ...(ticket !== undefined && { ticket }) });

export const privacyCommands = (program: Command): void => {
  const privacy = program.command('privacy').description('what is held of a person, and erasing it');

  withConnection(privacy.command('show <subject>'))
    .description('everything that is held of a person: for an access request; what it holds is personal')
    .action(async (subject: string, options: Shared) => {
      const held = await callJson<Held>(connect(options), `/privacy/${encodeURIComponent(subject)}`);
      if (options.json) return printJson(held);
      const told: readonly (readonly [string, string])[] = [
        ['state', held.state],
        ...Object.entries(held.attributes),
        ['groups', held.groups.join(', ')],
        ['roles', held.grants.map(({ role }) => role).join(', ')],
        ['keys', held.keys.map(({ id }) => id).join(', ')],
        ['profile', held.profile === null ? 'none' : JSON.stringify(held.profile)],
        ['erased', held.erased === null ? 'never' : `by fact ${held.erased}`],
        ['holds', held.holds.map(({ id }) => id).join(', ')],
      ];
      for (const [name, value] of told) if (value !== '') print(`${name.padEnd(16)}${value}`);
      for (const [title, texts] of [
        ['written about them', held.texts],
        ['written by them about others', held.written],
      ] as const) {
        print(`\n${title}: ${texts.length}`);
        if (texts.length > 0)
          printTable(
            ['SEQ', 'WHERE', 'BY', 'TEXT'],
            texts.map(({ sequence, member, author, text }) => [sequence, shortMember(member), author, text]),
          );
      }
      tell(
        `audit facts --subject ${subject} and audit decisions --subject ${subject} list what they did and were given`,
      );
    });

  withWhy(privacy.command('erase <subject>'))
    .description('erase texts and profile of somebody whose access has ended; facts stay, and every proof holds')
    .action(async (subject: string, options: Why) => {
      const erased = await callJson<{ sequence: number; texts: Record<string, number>; profile: boolean }>(
        connect(options),
        `/privacy/${encodeURIComponent(subject)}/erase`,
        { method: 'POST', body: whyOf(options) },
      );
      if (options.json) return printJson(erased);
      const count = Object.values(erased.texts).reduce((sum, each) => sum + each, 0);
      print(
        `${subject} is erased, by fact ${erased.sequence}: ${count} ${count === 1 ? 'text' : 'texts'}${erased.profile ? ', and the profile' : ''}`,
      );
      for (const [member, many] of Object.entries(erased.texts)) print(`  ${shortMember(member)}: ${many}`);
      tell(
        'what was exported, backed up or sent to others before is not called back: see docs/how-to/erase-and-retain.md',
      );
    });

  const hold = program.command('hold').description('legal holds: what may neither be erased nor pruned');
  withConnection(hold.command('list'))
    .description('holds that stand, who placed them and why')
    .action(async (options: Shared) => {
      const { items } = await callJson<{ items: readonly Hold[] }>(connect(options), '/holds');
      if (options.json) return printJson(items);
      printTable(
        ['HOLD', 'ON', 'BY', 'PLACED', 'WHY', 'TICKET'],
        items.map(({ id, on, by, placed, reason, ticket }) => [
          id,
          onText(on),
          by,
          readableTime(placed),
          reason,
          ticket,
        ]),
      );
    });
  withWhy(hold.command('place'))
    .description('keep a person, a log, a time; what is named together must hold together, nothing named is everything')
    .option('--subject <subject>', 'what is held of a person, and decisions about them')
    .option('--log <name>', 'facts or decisions alone')
    .option('--from <instant>', 'of what happened since (RFC 3339)')
    .option('--until <instant>', 'of what happened before (RFC 3339)')
    .action(async (options: Why & { subject?: string; log?: string; from?: string; until?: string }) => {
      const { subject, log, from, until } = options;
      const on = Object.fromEntries(
        Object.entries({ subject, log, from, until }).filter(([, value]) => value !== undefined),
      );
      const placed = await callJson<{ id: string }>(connect(options), '/holds', {
        method: 'POST',
        body: { on, ...whyOf(options) },
      });
      if (options.json) printJson(placed);
      else print(placed.id);
    });
  withWhy(hold.command('lift <hold>'))
    .description('end a hold')
    .action(async (id: string, options: Why) => {
      const lifted = await callJson<{ sequence: number }>(connect(options), `/holds/${encodeURIComponent(id)}/lift`, {
        method: 'POST',
        body: whyOf(options),
      });
      if (options.json) printJson(lifted);
      else print(`lifted by fact ${lifted.sequence}`);
    });
};

const shortMember = (member: string): string => member.replace(/^postern\./, '').replace(/\.v\d+\//, ' ');
const onText = (on: Readonly<Record<string, string>>): string =>
  Object.entries(on)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ') || 'everything';
