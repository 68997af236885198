/** can, who, what: questions to the authorizer. `can` exits 0 for allow, 1 for deny, 4 where it could not ask. */
import type { GrantWay } from '@postern/schemas';
import type { Command } from 'commander';
import { callJson } from '../client.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { print, printJson, printTable, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Way = GrantWay & { readonly allows: object };
type Edge = {
  readonly resource: string;
  readonly relation: string;
  readonly subject: string;
  readonly fact?: number;
  readonly by?: string;
  readonly reason?: string;
};
type ObjectWay = {
  readonly subject: string;
  readonly object: string;
  readonly through: readonly Edge[];
  readonly role?: undefined;
};
type Miss =
  | (Way & { readonly kind: 'condition'; readonly unmet: readonly string[]; readonly missing: readonly string[] })
  | {
      readonly kind: 'object';
      readonly subject: string;
      readonly object: string;
      readonly relations: readonly string[];
      readonly there: readonly Edge[];
    }
  | { readonly kind: 'role'; readonly subject: string; readonly role: string; readonly endpoints: number };
type Judged = {
  readonly decision: 'allow' | 'deny';
  readonly reason?: string;
  readonly endpoint?: string;
  readonly sequence: number;
  readonly explanation?:
    | { readonly outcome: 'allow'; readonly public?: true; readonly ways?: readonly (Way | ObjectWay)[] }
    | { readonly outcome: 'deny'; readonly subject: string; readonly misses: readonly Miss[] };
  /** What the token lacks. */
  readonly scopes?: readonly string[];
};
/** Where a path takes many operations and none was named: each of them. */
type Can = Judged & { readonly operations?: readonly Judged[] };
type CanOptions = Shared & {
  ip?: string;
  country?: string;
  acr?: string;
  amr?: string;
  at?: string;
  operation?: string;
  scopes?: string;
  explain?: boolean;
};

export const askCommands = (program: Command): void => {
  withConnection(program.command('can <subject> <method> <path>'))
    .description('may this subject make this call? exit 0 allow, 1 deny, 4 could not ask')
    .option('--ip <address>', 'called from this address')
    .option('--country <code>', 'called from this country (ISO 3166, two letters)')
    .option('--acr <class>', 'with a token of this authentication context class')
    .option('--amr <methods>', 'with a token of these authentication methods, parted by commas')
    .option('--at <instant>', 'as of this time of day and date (the graph is that of now)')
    .option('--operation <name>', 'of a path with many operations: query.viewer, tool.search (default: all of them)')
    .option(
      '--scopes <list>',
      'with a delegated token of these scopes, parted by commas (default: it is not delegated)',
    )
    .option('--explain', 'show the path through the graph, or the nearest miss')
    .action(async (subject: string, method: string, path: string, options: CanOptions) => {
      const { ip, country, acr, amr, at, operation, scopes } = options;
      const query = { subject, method: method.toUpperCase(), path, ip, country, acr, amr, at, operation, scopes };
      const answer = await asked(() => callJson<Can>(connect(options), '/can', { query }));
      if (options.json) printJson(answer);
      else for (const line of answerText(answer, options.explain === true)) print(line);
      process.exitCode = answer.decision === 'allow' ? exitCodes.done : exitCodes.refused;
    });

  withConnection(program.command('who <endpoint>'))
    .description('who may call an endpoint (SERVICE/OPERATION)')
    .action(async (endpoint: string, options: Shared) => {
      const answer = await callJson<{
        public: boolean;
        sequence: number;
        subjects: { subject: string; conditional: boolean }[];
      }>(connect(options), '/who', { query: { endpoint } });
      if (options.json) return printJson(answer);
      if (answer.public) print('anybody, without a credential');
      printTable(
        ['SUBJECT', 'CONDITIONS'],
        answer.subjects.map(({ subject, conditional }) => [subject, conditional ? 'under conditions' : '']),
      );
      tell(`complete at sequence ${answer.sequence}`);
    });

  withConnection(program.command('what <subject>'))
    .description('what a subject may call')
    .action(async (subject: string, options: Shared) => {
      const answer = await callJson<{ sequence: number; endpoints: { endpoint: string; conditional: boolean }[] }>(
        connect(options),
        '/what',
        { query: { subject } },
      );
      if (options.json) return printJson(answer);
      printTable(
        ['ENDPOINT', 'CONDITIONS'],
        answer.endpoints.map(({ endpoint, conditional }) => [endpoint, conditional ? 'under conditions' : '']),
      );
      tell(`complete at sequence ${answer.sequence}`);
    });
};

/** A question that was not answered is no deny, whatever the reason. */
const asked = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CommandFailure) throw new CommandFailure(error.message, exitCodes.couldNotAsk);
    throw error;
  }
};

const answerText = (answer: Can, explain: boolean): string[] => {
  const { operations } = answer;
  if (operations === undefined) return judgedText(answer, explain);
  const allowed = operations.filter(({ decision }) => decision === 'allow').length;
  return [
    `${answer.decision}: ${allowed} of the ${operations.length} operations at this path are allowed`,
    ...operations.flatMap((each) => judgedText(each, explain).map((line) => `  ${line}`)),
  ];
};
const judgedText = (judged: Judged, explain: boolean): string[] => {
  const { decision, reason, endpoint, sequence, scopes } = judged;
  const lacks = scopes === undefined ? [] : [`the token lacks the scopes ${scopes.join(', ')}`];
  return [
    [decision, reason && `(${reason})`, endpoint, `at sequence ${sequence}`].filter(Boolean).join(' '),
    ...(explain ? [...explained(judged), ...lacks].map((line) => `  ${line}`) : []),
  ];
};

const explained = ({ explanation }: Judged): string[] => {
  if (explanation === undefined) return [];
  if (explanation.outcome === 'allow')
    return explanation.public
      ? ['the endpoint is public']
      : (explanation.ways ?? []).map((way) => (way.role === undefined ? objectWayText(way) : wayText(way)));
  if (explanation.misses.length === 0) return [`${explanation.subject}: no role opens this endpoint`];
  return explanation.misses.map((miss) =>
    miss.kind === 'object'
      ? objectMissText(miss)
      : miss.kind === 'role'
        ? `${miss.subject} does not hold ${miss.role}, which would do (it opens ${miss.endpoints} endpoints)`
        : `${wayText(miss)}, but ${[...miss.unmet.map((name) => `its ${name} is not met`), ...miss.missing.map((name) => `${name} is not known`)].join(', ')}`,
  );
};

const objectWayText = ({ subject, object, through }: ObjectWay): string =>
  through.length === 0
    ? `${subject} → ${object}   [by relations of the object]`
    : `${subject} → ${object}   [${through.map(edgeText).join('; ')}]`;

const objectMissText = ({ subject, object, relations, there }: Extract<Miss, { kind: 'object' }>): string => {
  const [of = ''] = object.split('#');
  const would = relations.length > 0 ? `; ${of} ${relations.join(` or ${of} `)} would do` : '';
  const now = there.length > 0 ? `; there now: ${there.map(edgeText).join('; ')}` : '';
  return `${subject} is in no relation that opens ${object}, and no role of theirs does${would}${now}`;
};

const edgeText = ({ resource, relation, subject, fact, by, reason }: Edge): string =>
  `${resource} ${relation} ${subject}${fact === undefined ? '' : `, fact ${fact} by ${by}${reason === undefined ? '' : `: ${reason}`}`}`;

const wayText = ({ subject, group, role, grant, fact, by, reason, allows, conditions }: Way): string =>
  `${subject}${group === undefined ? '' : ` → ${group}`} → role ${role} → ${Object.values(allows).join(' ')}   [grant ${grant}, fact ${fact}, by ${by}: ${reason}${conditions === undefined ? '' : `, when ${JSON.stringify(conditions)}`}]`;
