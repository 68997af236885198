/** request, requests, approve, deny, withdraw, extend, break-glass: access that is asked for, or taken in an emergency. */
import { type Command, Option } from 'commander';
import { callJson } from '../client.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection, withWait } from './connect.ts';

type Asking = Shared & { reason: string; ticket?: string; for?: string; subject?: string };
type Rule = { readonly approvers: readonly string[]; readonly approvals: number | 'all' };
type Request = {
  readonly id: string;
  readonly subject: string;
  readonly role: string;
  readonly requester: string;
  readonly duration: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly state: string;
  readonly asked: string;
  readonly answerBy: string;
  readonly approvals: readonly { readonly by: string; readonly as: string }[];
  readonly rule?: Rule;
};
type Use = {
  readonly id: string;
  readonly subject: string;
  readonly role: string;
  readonly until: string;
  readonly opened: string;
  readonly reason: string;
  readonly live: boolean;
  readonly review?: { readonly by: string; readonly verdict: string };
  readonly reviewers?: readonly string[];
};

const ruleText = ({ approvers, approvals }: Rule): string =>
  approvals === 'all' ? approvers.join(' and ') : `${approvals} of ${approvers.join(', ')}`;

const why = (command: Command): Command =>
  command
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .option('--ticket <id>', 'the ticket behind it')
    .option('--for <duration>', 'for how long: 30m, 8h, 5d (default: as long as the role allows)');

const ask = async (options: Asking, what: { role?: string; extends?: string }): Promise<void> => {
  const { reason, ticket, for: duration, subject } = options;
  type Asked = { id: string; subject: string; role: string; duration: string; answerBy: string; approvers: Rule };
  const body = { ...what, subject, duration, reason, ticket };
  const asked = await callJson<Asked>(connect(options), '/requests', { method: 'POST', body });
  if (options.json) return printJson(asked);
  print(`asked for ${asked.role} for ${asked.subject}, for ${asked.duration}`);
  print(`  request ${asked.id}, to be approved by ${ruleText(asked.approvers)} before ${readableTime(asked.answerBy)}`);
};

const printRequests = (items: readonly Request[]): void =>
  printTable(
    ['SUBJECT', 'ROLE', 'FOR', 'STATE', 'ASKED', 'APPROVED BY', 'NEEDS', 'REASON', 'ID'],
    items.map(({ id, subject, role, duration, state, asked, approvals, rule, reason }) => [
      subject,
      role,
      duration,
      state,
      readableTime(asked),
      approvals.map(({ by, as }) => `${by} (${as})`).join(', '),
      rule && ruleText(rule),
      reason,
      id,
    ]),
  );

export const requestCommands = (program: Command): void => {
  why(withConnection(program.command('request <role>')))
    .description('ask for a role: postern request payroll-writer --for 2h --reason "month end"')
    .option('--subject <principal>', 'for somebody else: user:NAME or workload:NAME (default: whose key it is)')
    .action((role: string, options: Asking) => ask(options, { role }));
  why(withConnection(program.command('extend <grant>')))
    .description('ask that a grant lasts longer, before it ends; it is approved like the first time')
    .option('--subject <principal>', 'whose grant it is (default: whose key it is)')
    .action((grant: string, options: Asking) => ask(options, { extends: grant }));

  withConnection(program.command('requests'))
    .description('requests: what waits for your answer and what you asked for; with --all everybody’s')
    .option('--all', 'everybody’s (for those who read the whole of Postern)')
    .addOption(
      new Option('--state <state>', 'only these, with --all').choices([
        'open',
        'granted',
        'denied',
        'withdrawn',
        'unanswered',
      ]),
    )
    .action(async (options: Shared & { all?: boolean; state?: string }) => {
      if (options.all) {
        const query = { state: options.state };
        const { items } = await callJson<{ items: Request[] }>(connect(options), '/requests', { query });
        return options.json ? printJson(items) : printRequests(items);
      }
      type Mine = { asked: Request[]; toApprove: Request[] };
      const mine = await callJson<Mine>(connect(options), '/requests/mine');
      if (options.json) return printJson(mine);
      tell(`${mine.toApprove.length} wait for your answer`);
      if (mine.toApprove.length > 0) printRequests(mine.toApprove);
      tell(`${mine.asked.length} of yours`);
      if (mine.asked.length > 0) printRequests(mine.asked);
    });

  withWait(withConnection(program.command('approve <request>')))
    .description('say yes to a request; the last yes that is needed gives the role')
    .option('--reason <text>', 'why; it stands in the record')
    .action(async (request: string, options: Shared & { reason?: string }) => {
      type Approved = { state: string; sequence: number; grant?: string; until?: string };
      const approved = await callJson<Approved>(connect(options), `/requests/${request}/approve`, {
        method: 'POST',
        body: { reason: options.reason },
        query: { wait: options.wait },
      });
      if (options.json) return printJson(approved);
      if (approved.grant === undefined) print('approved; others have to say yes too');
      else
        print(`granted until ${readableTime(approved.until)} (grant ${approved.grant}, sequence ${approved.sequence})`);
    });
  withConnection(program.command('deny <request>'))
    .description('say no to a request')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .action(async (request: string, options: Shared & { reason: string }) => {
      const body = { reason: options.reason };
      const denied = await callJson(connect(options), `/requests/${request}/deny`, { method: 'POST', body });
      if (options.json) printJson(denied);
      else print(`denied ${request}`);
    });
  withConnection(program.command('withdraw <request>'))
    .description('take a request of yours back')
    .action(async (request: string, options: Shared) => {
      const withdrawn = await callJson(connect(options), `/requests/${request}/withdraw`, { method: 'POST', body: {} });
      if (options.json) printJson(withdrawn);
      else print(`withdrew ${request}`);
    });

  const glass = program
    .command('break-glass')
    .description('take a role at once in an emergency; somebody else reviews it afterwards');
  withWait(why(withConnection(glass.command('open <role>'))))
    .description('take the role now, for a short time')
    .action(async (role: string, options: Asking) => {
      const { reason, ticket, for: duration } = options;
      type Opened = { id: string; role: string; until: string };
      const opened = await callJson<Opened>(connect(options), '/breakglass', {
        method: 'POST',
        body: { role, duration, reason, ticket },
        query: { wait: options.wait },
      });
      if (options.json) return printJson(opened);
      print(`${opened.role} is yours until ${readableTime(opened.until)}`);
      tell(`use ${opened.id}: it is on the list until somebody else has reviewed it`);
    });
  withConnection(glass.command('list'))
    .description('uses that are yours or wait for your review; with --all everybody’s')
    .option('--all', 'everybody’s (for those who read the whole of Postern)')
    .action(async (options: Shared & { all?: boolean }) => {
      type Mine = { used: Use[]; toReview: Use[] };
      const mine = options.all ? undefined : await callJson<Mine>(connect(options), '/breakglass/mine');
      const items = mine
        ? [...mine.toReview, ...mine.used]
        : (await callJson<{ items: Use[] }>(connect(options), '/breakglass')).items;
      if (options.json) return printJson(mine ?? items);
      printTable(
        ['SUBJECT', 'ROLE', 'OPENED', 'UNTIL', 'STATE', 'REVIEW', 'REASON', 'ID'],
        items.map(({ id, subject, role, opened, until, live, review, reviewers, reason }) => [
          subject,
          role,
          readableTime(opened),
          readableTime(until),
          live ? 'open' : 'over',
          review ? `${review.verdict} (${review.by})` : `waits for ${reviewers?.join(', ')}`,
          reason,
          id,
        ]),
      );
    });
  withWait(withConnection(glass.command('close <use>')))
    .description('give it back early')
    .action(async (use: string, options: Shared) => {
      const query = { wait: options.wait };
      const closed = await callJson(connect(options), `/breakglass/${use}/close`, { method: 'POST', body: {}, query });
      if (options.json) printJson(closed);
      else print(`closed ${use}`);
    });
  withConnection(glass.command('review <use>'))
    .description('say whether it was justified; a live one that was not ends at once')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .addOption(
      new Option('--verdict <verdict>', 'what you found').choices(['justified', 'unjustified']).makeOptionMandatory(),
    )
    .action(async (use: string, options: Shared & { reason: string; verdict: string }) => {
      const body = { verdict: options.verdict, reason: options.reason };
      const reviewed = await callJson(connect(options), `/breakglass/${use}/review`, { method: 'POST', body });
      if (options.json) printJson(reviewed);
      else print(`reviewed ${use}: ${options.verdict}`);
    });
};
