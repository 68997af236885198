/** audit export: facts, decisions or an answer as an evidence bundle; and judging such a file offline. */
import { readFileSync, writeFileSync } from 'node:fs';
import { verifyBundleFile } from '@postern/audit/app';
import type { Command } from 'commander';
import { CommandFailure, failureOf, request } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { print, printJson, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

const asked = ['subject', 'endpoint', 'role', 'grant', 'review', 'decision', 'sequence', 'outcome', 'type', 'id'];
const times = ['at', 'from', 'to', 'since', 'until', 'known', 'size', 'days', 'sla', 'limit'];

type Options = Shared & {
  readonly out: string;
  readonly question?: string;
  readonly facts?: boolean;
  readonly decisions?: boolean;
  readonly [name: string]: unknown;
};

export const exportCommand = (audit: Command): void => {
  const command = withConnection(audit.command('export'))
    .description('one file with rows, entries, proofs, keys and a page that verifies itself offline')
    .requiredOption('--out <file>', 'the zip file that is written')
    .option('--question <n>', "one of an auditor's questions, with what it is asked with")
    .option('--facts', 'facts')
    .option('--decisions', 'decisions');
  for (const name of [...asked, ...times])
    command.option(`--${name} <value>`, `as in audit question, facts and decisions`);
  command.action(async (options: Options) => {
    const kinds = [options.question !== undefined, options.facts, options.decisions].filter(Boolean).length;
    if (kinds !== 1) throw new CommandFailure('name one of --question N, --facts and --decisions', exitCodes.usage);
    const query = Object.fromEntries([...asked, ...times].map((name) => [name, options[name] as string | undefined]));
    const what =
      options.question === undefined ? { kind: options.facts ? 'facts' : 'decisions' } : { question: options.question };
    const response = await request(connect(options), '/audit/export', { query: { ...query, ...what } });
    if (!response.ok) throw await failureOf(response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    writeFileSync(options.out, bytes);
    const { rows, entries } = await verifyBundleFile(bytes);
    tell(
      `${rows} rows and ${entries} proven entries in ${options.out}; open its index.html, or postern audit verify --bundle`,
    );
  });
};

/** `trusted`: the verifier keys that were kept, as text. */
export const verifyBundleAt = async (file: string, trusted: string | undefined, json: boolean): Promise<void> => {
  const verdict = await verifyBundleFile(readFileSync(file), trusted);
  if (json) printJson(verdict);
  else {
    print(
      verdict.outcome === 'verified'
        ? `verified: ${verdict.rows} rows, ${verdict.entries} entries proven`
        : `NOT verified: ${verdict.findings.length} wrong`,
    );
    for (const { row, file: where, why } of verdict.findings.slice(0, 100))
      print(`  ${row === undefined ? where : `row ${row}`}: ${why}`);
  }
  if (trusted === undefined) tell('the keys came with the bundle: name those that you trust with --vkey');
  if (verdict.outcome !== 'verified') process.exitCode = exitCodes.refused;
};
