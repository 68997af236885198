/** audit export: facts, decisions or an answer as an evidence bundle; and judging such a file offline. */
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toOcsf, verifyBundleFile, writeParquet } from '@postern/audit/app';
import { parseServedRow, type ServedRow } from '@postern/schemas/record';
import { type Command, Option } from 'commander';
import { CommandFailure, failureOf, request } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { print, printJson, tell } from '../output.ts';
import { connect, type Shared, withConnection } from './connect.ts';

const asked = ['subject', 'endpoint', 'role', 'grant', 'review', 'decision', 'sequence', 'outcome', 'type', 'id'];
const times = ['at', 'from', 'to', 'since', 'until', 'known', 'size', 'days', 'sla', 'limit'];

type Options = Shared & {
  readonly out: string;
  readonly format: 'bundle' | 'ndjson' | 'csv' | 'ocsf' | 'parquet';
  readonly question?: string;
  readonly facts?: boolean;
  readonly decisions?: boolean;
  readonly [name: string]: unknown;
};

export const exportCommand = (audit: Command): void => {
  const command = withConnection(audit.command('export'))
    .description('one file with rows, entries, proofs, keys and a page that verifies itself offline')
    .addOption(
      new Option('--format <format>', 'bundle, or the rows alone, of all that is found')
        .choices(['bundle', 'ndjson', 'csv', 'ocsf', 'parquet'])
        .default('bundle'),
    )
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
    if (options.format !== 'bundle') return writeRows(options, query);
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

const progressEvery = 10_000;

/** All rows that are found, as they come: memory does not grow with the record. */
const writeRows = async (options: Options, query: Readonly<Record<string, string | undefined>>): Promise<void> => {
  if (options.question !== undefined)
    throw new CommandFailure('an answer is written as a bundle; facts and decisions in any format', exitCodes.usage);
  const { format, out } = options;
  const accept = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
  const response = await request(connect(options), options.facts ? '/audit/facts' : '/audit/decisions', {
    query: { ...query, order: 'oldest' },
    headers: { accept },
  });
  if (!response.ok || response.body === null) throw await failureOf(response);
  const body = Readable.fromWeb(response.body as never);
  if (format === 'csv') {
    await pipeline(body, createWriteStream(out));
    return tell(`written: ${out}`);
  }
  let count = 0;
  const lines = async function* (): AsyncGenerator<string> {
    for await (const line of createInterface({ input: body })) {
      if (line === '') continue;
      if (++count % progressEvery === 0 && process.stderr.isTTY)
        process.stderr.write(`\r${count.toLocaleString('en')} rows`);
      yield line;
    }
  };
  const rows = async function* (): AsyncGenerator<ServedRow> {
    for await (const line of lines()) yield parseServedRow(line);
  };
  const texts = async function* (): AsyncGenerator<string> {
    for await (const line of lines())
      yield `${format === 'ocsf' ? JSON.stringify(toOcsf(parseServedRow(line))) : line}\n`;
  };
  if (format === 'parquet') await writeParquet(out, rows());
  else await pipeline(texts(), createWriteStream(out));
  tell(`${count} rows in ${out}`);
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
