/** review, report: access that is looked at again. */
import { type Command, Option } from 'commander';
import { CommandFailure, callJson, failureOf, request } from '../client.ts';
import { several } from '../input.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection, withWait } from './connect.ts';

type Summary = {
  readonly id: string;
  readonly title: string;
  readonly reviewer: string;
  readonly due: string;
  readonly undecided: string;
  readonly frozenAt: number;
  readonly items: number;
  readonly open: number;
  readonly kept: number;
  readonly revoked: number;
  readonly shortened: number;
  readonly closed?: { readonly time: string };
};
type Item = {
  readonly grant: string;
  readonly subject: string;
  readonly role: string;
  readonly lastUsed?: string;
  readonly reviewer?: string;
  readonly cameAbout: {
    readonly as: string;
    readonly by: string;
    readonly at: string;
    readonly reason: string;
    readonly sequence: number;
    readonly approvals?: readonly { readonly by: string; readonly as: string }[];
  };
  readonly decided?: { readonly decision: string; readonly by: string; readonly reason: string };
  readonly revocation?: {
    readonly at: number;
    readonly enforced?: { readonly at: number; readonly time: string };
    readonly firstRefusal?: { readonly decision: string; readonly at: string };
  };
};

const printItems = (items: readonly Item[]): void =>
  printTable(
    ['SUBJECT', 'ROLE', 'LAST USED', 'CAME ABOUT', 'DECISION', 'REVOKED', 'ENFORCED', 'FIRST REFUSAL', 'GRANT'],
    items.map(
      ({
        grant,
        subject,
        role,
        lastUsed,
        reviewer,
        cameAbout: { as, by, reason, sequence, approvals },
        decided,
        revocation,
      }) => [
        subject,
        role,
        readableTime(lastUsed),
        `${approvals ? `asked for, approved by ${approvals.map((each) => `${each.by} (${each.as})`).join(', ')}` : `${as} by ${by}`}: ${reason} (fact ${sequence})`,
        decided ? `${decided.decision} by ${decided.by}: ${decided.reason}` : `waits for ${reviewer}`,
        revocation && `fact ${revocation.at}`,
        revocation?.enforced && `fact ${revocation.enforced.at}`,
        revocation?.firstRefusal && `${readableTime(revocation.firstRefusal.at)} ${revocation.firstRefusal.decision}`,
        grant,
      ],
    ),
  );

const printSummaries = (items: readonly Summary[]): void =>
  printTable(
    ['TITLE', 'ITEMS', 'OPEN', 'KEPT', 'REVOKED', 'SHORTENED', 'DUE', 'STATE', 'ID'],
    items.map(({ id, title, items: all, open, kept, revoked, shortened, due, closed }) => [
      title,
      all,
      open,
      kept,
      revoked,
      shortened,
      readableTime(due),
      closed ? `closed ${readableTime(closed.time)}` : 'open',
      id,
    ]),
  );

export const reviewCommands = (program: Command): void => {
  const review = program.command('review').description('campaigns: who still needs what');

  type Opening = Shared & {
    manager?: string;
    role?: string;
    service?: string;
    unusedFor?: string;
    movers?: true;
    reviewer: string;
    escalateTo?: string;
    dueIn: string;
    undecided: string;
  };
  withConnection(review.command('open <title>'))
    .description('open a campaign over the access that is live now')
    .option('--manager <principal>', 'only of the people whose manager this is')
    .option('--role <role>', 'only one role')
    .option('--service <service>', 'only roles that open something of one service')
    .option('--unused-for <duration>', 'only what was not used for so long: 90d')
    .option('--movers', 'only what people brought along from before they moved')
    .option('--reviewer <who>', 'manager, owner (of the role), role:NAME or user:NAME', 'manager')
    .option(
      '--escalate-to <who>',
      'role:NAME or user:NAME: decides where there is no reviewer, or they do not (default: you)',
    )
    .option('--due-in <duration>', 'how long it is open', '14d')
    .addOption(
      new Option('--undecided <policy>', 'what becomes of what nobody decides')
        .choices(['keep', 'revoke'])
        .makeOptionMandatory(),
    )
    .action(async (title: string, options: Opening) => {
      const { manager, role, service, unusedFor, movers, reviewer, escalateTo, dueIn, undecided } = options;
      const body = {
        title,
        scope: { manager, role, service, unusedFor, movers },
        reviewer,
        escalateTo,
        dueIn,
        undecided,
      };
      type Opened = { id: string; items: number; frozenAt: number; due: string };
      const opened = await callJson<Opened>(connect(options), '/reviews', { method: 'POST', body });
      if (options.json) printJson(opened);
      else
        print(
          `opened ${opened.id}: ${opened.items} grants as of sequence ${opened.frozenAt}, due ${readableTime(opened.due)}`,
        );
    });
  withConnection(review.command('list'))
    .description('all campaigns')
    .action(async (options: Shared) => {
      const { items } = await callJson<{ items: Summary[] }>(connect(options), '/reviews');
      if (options.json) printJson(items);
      else printSummaries(items);
    });
  withConnection(review.command('mine'))
    .description('what waits for your decision')
    .action(async (options: Shared) => {
      const { items } = await callJson<{ items: (Summary & { mine: Item[] })[] }>(connect(options), '/reviews/mine');
      if (options.json) return printJson(items);
      if (items.length === 0) tell('nothing waits for your decision');
      for (const { id, title, due, mine } of items) {
        tell(`${title} (${id}), due ${readableTime(due)}`);
        printItems(mine);
      }
    });
  withConnection(review.command('show <review>'))
    .description(
      'one campaign: each grant, how it came about, when it was last used, what was decided and since when that holds',
    )
    .addOption(new Option('--only <which>', 'only these').choices(['open', 'decided', 'revoked']))
    .action(async (id: string, options: Shared & { only?: string }) => {
      type Page = Summary & { grants: Item[]; next: number | null };
      let page = await callJson<Page>(connect(options), `/reviews/${id}`, { query: { only: options.only } });
      const grants = [...page.grants];
      while (page.next !== null) {
        const query = { only: options.only, from: String(page.next) };
        page = await callJson<Page>(connect(options), `/reviews/${id}`, { query });
        grants.push(...page.grants);
      }
      if (options.json) return printJson({ ...page, grants, next: undefined });
      printSummaries([page]);
      printItems(grants);
    });
  type Deciding = Shared & { keep?: string[]; revoke?: string[]; shorten?: string[]; until?: string; reason: string };
  withWait(withConnection(review.command('decide <review>')))
    .description('decide about one grant or many; all of them or none')
    .option('--keep <grant>', 'may be repeated', several)
    .option('--revoke <grant>', 'may be repeated', several)
    .option('--shorten <grant>', 'to --until; may be repeated', several)
    .option('--until <instant>', 'the new end (RFC 3339)')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .action(async (id: string, options: Deciding) => {
      const { keep = [], revoke = [], shorten = [], until, reason } = options;
      const decisions = [
        ...keep.map((grant) => ({ grant, decision: 'keep' })),
        ...revoke.map((grant) => ({ grant, decision: 'revoke' })),
        ...shorten.map((grant) => ({ grant, decision: 'shorten', until })),
      ];
      if (decisions.length === 0)
        throw new CommandFailure('decide about something: --keep, --revoke or --shorten GRANT', 1);
      const decided = await callJson<{ decided: number; sequence: number }>(
        connect(options),
        `/reviews/${id}/decisions`,
        {
          method: 'POST',
          body: { decisions, reason },
          query: { wait: options.wait },
        },
      );
      if (options.json) printJson(decided);
      else print(`decided about ${decided.decided} at sequence ${decided.sequence}`);
    });
  withWait(withConnection(review.command('close <review>')))
    .description('close a campaign now; what is undecided is kept or revoked as was declared at the opening')
    .option('--reason <text>', 'why; it stands in the record')
    .action(async (id: string, options: Shared & { reason?: string }) => {
      type Closed = { kept: number; revoked: number; shortened: number; gone: number };
      const closed = await callJson<Closed>(connect(options), `/reviews/${id}/close`, {
        method: 'POST',
        body: { reason: options.reason },
        query: { wait: options.wait },
      });
      if (options.json) printJson(closed);
      else
        print(
          `closed: ${closed.kept} kept, ${closed.revoked} revoked, ${closed.shortened} shortened, ${closed.gone} gone before`,
        );
    });

  withConnection(program.command('report <name>'))
    .description(
      'dormant (access that is not used), leavers (there must be none), sod (separate duties), wide-roles, keys, movers, break-glass',
    )
    .option('--unused-for <duration>', 'what counts as unused (default: 90d)')
    .option('--csv', 'print CSV')
    .action(async (name: string, options: Shared & { unusedFor?: string; csv?: boolean }) => {
      const query = { unusedFor: options.unusedFor };
      if (options.csv) {
        const response = await request(connect(options), `/reports/${name}`, { query: { ...query, format: 'csv' } });
        if (!response.ok) throw await failureOf(response);
        process.stdout.write(await response.text());
        return;
      }
      type Report = { columns: string[]; items: Record<string, string | number | undefined>[] };
      const report = await callJson<Report>(connect(options), `/reports/${name}`, { query });
      if (options.json) return printJson(report);
      const headings = report.columns.map((column) => column.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase());
      printTable(
        headings,
        report.items.map((item) => report.columns.map((column) => item[column])),
      );
    });
};
