/** audit as-of: who could call what at any past moment, by which grants, and what changed between two. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { CommandFailure, callJson } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Path = {
  readonly role: string;
  readonly group?: string;
  readonly fact: number;
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly approvals?: readonly { readonly by: string }[];
};
type Right = {
  readonly subject: string;
  readonly endpoint: string;
  readonly conditional: boolean;
  readonly paths: readonly Path[];
  readonly because?: readonly {
    readonly fact: number;
    readonly type: string;
    readonly by: string;
    readonly reason?: string;
  }[];
};
type Moment = { readonly sequence: number; readonly at: string; readonly known: 'then' | 'now' };
type Answer = {
  readonly asked: string;
  readonly size: number;
  readonly moment?: Moment;
  readonly from?: Moment;
  readonly to?: Moment;
  readonly rights?: readonly Right[];
  readonly public?: boolean;
  readonly gained?: readonly Right[];
  readonly lost?: readonly Right[];
  readonly decision?: 'allow' | 'deny';
  readonly reason?: string;
  readonly endpoint?: string;
};
type Options = Shared & {
  readonly at?: string;
  readonly sequence?: string;
  readonly from?: string;
  readonly to?: string;
  readonly known?: string;
  readonly subject?: string;
  readonly endpoint?: string;
  readonly call?: string;
  readonly ip?: string;
  readonly country?: string;
  readonly acr?: string;
  readonly amr?: string;
  readonly scopes?: string;
  readonly time?: string;
};

export const asOfCommand = (audit: Command): void => {
  withConnection(audit.command('as-of'))
    .description('who could call what at any past moment, by which grants; with --from, what changed since')
    .option('--at <instant>', 'the moment, as an RFC 3339 instant (default: the end of the log)')
    .option('--sequence <n>', 'the moment, as a place in the log of facts')
    .option('--from <moment>', 'what changed from this instant or sequence on …')
    .option('--to <moment>', '… up to this one (default: the end of the log)')
    .addOption(
      new Option('--known <when>', 'what was recorded by then, or what is known now to have been true then')
        .choices(['then', 'now'])
        .default('then'),
    )
    .option('--endpoint <endpoint>', 'who could call it: SERVICE/OPERATION')
    .option('--subject <subject>', 'what they could call: user:NAME, workload:NAME, credential:ID')
    .option('--call <call>', 'with --subject: could they make this call, as in "GET /payroll/employees"')
    .option('--ip <address>', 'the call came from this address')
    .option('--country <code>', 'the call came from this country (ISO 3166)')
    .option('--acr <class>', 'with a token of this authentication context class')
    .option('--amr <methods>', 'with a token of these authentication methods, parted by commas')
    .option('--scopes <list>', 'with a delegated token of these scopes, parted by commas')
    .option('--time <instant>', 'the time of day of the call (default: the moment itself)')
    .action(async ({ gate, key, data, json, wait: _, call, ...rest }: Options) => {
      const [method, path] = call?.split(/\s+/, 2) ?? [];
      if (call !== undefined && path === undefined)
        throw new CommandFailure(`--call takes a method and a path, not "${call}"`, exitCodes.usage);
      const query = { ...rest, ...(method && { method: method.toUpperCase() }), ...(path && { path }) };
      const answer = await callJson<Answer>(connect({ gate, key, data }), '/audit/as-of', { query });
      if (json) printJson(answer);
      else show(answer);
      if (answer.decision === 'deny') process.exitCode = exitCodes.refused;
    });
};

const show = (answer: Answer): void => {
  const { decision, rights, gained, lost } = answer;
  if (decision !== undefined)
    print(`${decision}${answer.reason === undefined ? '' : ` (${answer.reason})`}  ${answer.endpoint ?? ''}`.trimEnd());
  if (answer.public === true) print('anybody could call it: it is public');
  if (rights !== undefined) table(rights);
  for (const [title, changed] of [
    ['gained', gained],
    ['lost', lost],
  ] as const) {
    if (changed === undefined) continue;
    print(`${title}: ${changed.length}`);
    if (changed.length > 0) table(changed);
  }
  tell(footing(answer));
};

const table = (rights: readonly Right[]): void =>
  printTable(
    [
      'WHO',
      'ENDPOINT',
      'WHEN',
      'ROLE',
      'THROUGH',
      'FACT',
      'GRANTED BY',
      'APPROVED BY',
      'TICKET',
      'WHY',
      ...changeColumns(rights),
    ],
    rights.flatMap((right) =>
      (right.paths.length > 0 ? right.paths : [undefined]).map((path) => [
        right.subject,
        right.endpoint,
        right.conditional ? 'under conditions' : 'always',
        path?.role,
        path?.group,
        path?.fact,
        path?.by,
        path?.approvals?.map(({ by }) => by).join(' '),
        path?.ticket,
        path?.reason,
        ...(right.because === undefined ? [] : [becauseText(right)]),
      ]),
    ),
  );
const changeColumns = (rights: readonly Right[]): string[] =>
  rights.some(({ because }) => because !== undefined) ? ['BECAUSE'] : [];
const becauseText = ({ because = [] }: Right): string =>
  because.map(({ fact, type, by }) => `${fact} ${type.replace(/^postern\.|\.v\d+$/g, '')} by ${by}`).join('; ');

const momentText = ({ sequence, at, known }: Moment): string =>
  known === 'now' ? `${readableTime(at)}, as known now` : `fact ${sequence}, ${readableTime(at)}`;
const footing = ({ moment, from, to, size }: Answer): string => {
  const when =
    moment !== undefined
      ? `as of ${momentText(moment)}`
      : `from ${from === undefined ? '' : momentText(from)} to ${to === undefined ? '' : momentText(to)}`;
  return `${when}; computed from a log of ${size} facts (--json has its checkpoint)`;
};
