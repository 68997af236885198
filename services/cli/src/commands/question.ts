/** audit question: one of the 25 questions of an auditor, with the evidence for its answer. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { callJson } from '../client.ts';
import { wholeNumber } from '../input.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

type Cell = string | number | boolean | undefined;
type Proven = { readonly size: number; readonly entries: number; readonly proofs: readonly object[] };
type Answer = {
  readonly question: number;
  readonly asks: string;
  readonly summary: Readonly<Record<string, Cell>>;
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  readonly notes: readonly string[];
  readonly evidence: { readonly facts: Proven; readonly decisions: Proven | null };
};
type Listed = {
  readonly items: readonly {
    readonly number: number;
    readonly asks: string;
    readonly clauses: Readonly<Record<string, string>>;
    readonly needs: readonly string[];
    readonly takes: readonly string[];
  }[];
};
type Options = Shared & {
  readonly evidence?: string;
  readonly proofs?: number;
  readonly [name: string]: unknown;
};

const argumentsOf = [
  'at',
  'from',
  'to',
  'known',
  'subject',
  'endpoint',
  'role',
  'grant',
  'review',
  'decision',
  'sequence',
  'size',
  'days',
  'sla',
];

export const questionCommand = (audit: Command): void => {
  withConnection(audit.command('question [number]'))
    .description("one of an auditor's 25 questions, answered with evidence; without a number, what they are")
    .option('--at <moment>', 'the moment: an RFC 3339 instant or a sequence (default: the end of the log)')
    .option('--from <moment>', 'of a period: from this instant or sequence on')
    .option('--to <moment>', 'of a period: up to this one')
    .option('--known <when>', 'then: as recorded by the moment; now: as known today to have been true')
    .option('--subject <subject>', 'user:NAME, workload:NAME, credential:ID')
    .option('--endpoint <endpoint>', 'SERVICE/OPERATION')
    .option('--role <role>', 'one role')
    .option('--grant <id>', 'one grant')
    .option('--review <id>', 'one campaign')
    .option('--decision <id>', 'one decision, as in the Postern-Decision header')
    .option('--sequence <n>', 'one fact')
    .option('--size <n>', 'size of a checkpoint that you kept')
    .option('--days <n>', 'unused for so long')
    .option('--sla <hours>', 'how long a termination may take')
    .option('--proofs <n>', 'how many proofs are attached', wholeNumber(0, 100_000))
    .option('--evidence <file>', 'write the whole answer there: rows, query, checkpoints and proofs')
    .action(async (number: string | undefined, options: Options) => {
      const to = connect(options);
      if (number === undefined) return list(await callJson<Listed>(to, '/audit/questions'), options);
      const query = Object.fromEntries([
        ...argumentsOf.map((name) => [name, options[name] as string | undefined]),
        ['proofs', options.proofs?.toString()],
      ]);
      const answer = await callJson<Answer>(to, `/audit/questions/${encodeURIComponent(number)}`, { query });
      if (options.evidence !== undefined) writeFileSync(options.evidence, `${JSON.stringify(answer, undefined, 2)}\n`);
      if (options.json) printJson(answer);
      else show(answer);
    });
};

const list = ({ items }: Listed, { json }: Options): void => {
  if (json) {
    printJson(items);
    return;
  }
  printTable(
    ['N', 'QUESTION', 'ASKED WITH', 'SOC 2', 'ISO 27001', 'PCI DSS', 'HIPAA'],
    items.map(({ number, asks, clauses, needs, takes }) => [
      number,
      asks,
      [...needs.map((name) => `--${name}`), ...takes.map((name) => `[--${name}]`)].join(' '),
      clauses['soc2'],
      clauses['iso27001'],
      clauses['pciDss'],
      clauses['hipaa'],
    ]),
  );
};

const show = ({ question, asks, summary, rows, notes, evidence }: Answer): void => {
  print(`${question}. ${asks}`);
  const told = Object.entries(summary).map(([name, value]) => `${words(name)} ${shown(value)}`);
  if (told.length > 0) print(told.join(', '));
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length > 0) {
    print('');
    printTable(
      columns.map((name) => words(name).toUpperCase()),
      rows.map((row) => columns.map((name) => shown(row[name]))),
    );
  }
  for (const note of notes) tell(`note: ${note}`);
  const parts = [
    `${evidence.facts.entries} of ${evidence.facts.size} facts`,
    ...(evidence.decisions === null
      ? []
      : [`${evidence.decisions.entries} of ${evidence.decisions.size} entries of decisions`]),
  ];
  tell(`rests on ${parts.join(' and ')}; --evidence FILE keeps checkpoints and proofs`);
};

/** `firstRefusal` → `first refusal` */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const shown = (value: Cell): string =>
  value === undefined
    ? ''
    : /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(String(value))
      ? readableTime(String(value))
      : String(value);
