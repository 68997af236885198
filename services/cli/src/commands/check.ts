/** check: the model's files, their assertions on the real engine, and what they would change; every mistake at once. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { judgeOver } from '@postern/authorizer/app';
import { decideCommand, loadFeedRules, loadNotices, loadTransmitters } from '@postern/grants/app';
import {
  type Against,
  type CheckReport,
  checkModel,
  type Finding,
  type ModellingDeps,
  type Recorded,
  readFacts,
  toJson,
  toJunit,
  toSarif,
  toText,
} from '@postern/modelling/app';
import { openRelationships } from '@postern/relationships/open';
import { type FileMistake, type LoadedConfig, loadConfig, loadModel, systemClock } from '@postern/runtime';
import { isProblem } from '@postern/schemas';
import type { Command } from 'commander';
import { CommandFailure, connection, failureOf, request } from '../client.ts';
import { exitCodes } from '../failure.ts';
import { print } from '../output.ts';
import { readCalls } from '../recorded.ts';

const formats = { text: toText, json: toJson, sarif: toSarif, junit: toJunit } as const;
type Options = {
  readonly config: string;
  readonly format: string;
  readonly output?: string;
  readonly strict?: boolean;
  readonly against?: string;
  readonly coverageMin?: string;
  readonly questionsMax?: string;
  readonly key?: string;
  readonly acceptGains?: boolean;
  readonly decisions?: string;
  readonly since: string;
};

export const checkCommand = (program: Command): void => {
  program
    .command('check')
    .description(
      'configuration, schema, routes, roles and assertions; every error at once, each with file, line and fix',
    )
    .option('--config <file>', 'the configuration', 'postern.yaml')
    .option('--format <format>', Object.keys(formats).join(', '), 'text')
    .option('--output <file>', 'write the report there, and only a summary here')
    .option('--strict', 'warnings fail too, and with --against gains that nobody said yes to')
    .option(
      '--against <source>',
      'who gains and who loses: a gate (http…), facts exported as NDJSON, or a folder with the files as they were',
    )
    .option('--accept-gains', 'every gain is meant (default: those under gains: in the assertions)')
    .option(
      '--decisions <source>',
      'calls made under the facts of --against: NDJSON or an access log (default: its own)',
    )
    .option('--since <time>', 'only calls from then on: a duration back from now, or an instant', '30d')
    .option('--coverage-min <percent>', 'of roles, routes and relations that assertions have to touch')
    .option('--questions-max <n>', 'how many questions a comparison asks of each model', '500000')
    .option('--key <key>', 'an API key for --against http…  (default: POSTERN_KEY)')
    .action(async (options: Options) => {
      const format = formats[options.format as keyof typeof formats];
      if (format === undefined)
        throw new CommandFailure(
          `there is no format "${options.format}"; there are ${Object.keys(formats).join(', ')}`,
          64,
        );
      const report = await reportOn(options);
      const shown = (file: string): string => {
        const near = relative(process.cwd(), resolve(file));
        return near === '' || near.startsWith('..') ? file : near;
      };
      if (options.output === undefined) print(format(report, shown));
      else {
        writeFileSync(options.output, `${format(report, shown)}\n`);
        print(toText(report, shown));
      }
      const fails = (level: Finding['level']) => level === 'error' || (level === 'warning' && options.strict === true);
      process.exitCode = report.findings.some(({ level }) => fails(level)) ? 1 : 0;
    });
};

export const checkDeps: ModellingDeps = { openEngine: () => openRelationships('embedded:'), judgeOver, decideCommand };

const reportOn = async (options: Options): Promise<CheckReport> => {
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig(options.config, process.env);
  } catch (error) {
    // A configuration that cannot be read names no files; its own mistakes are told in every format all the same.
    if (!isProblem(error, 'runtime/bad-config')) throw error;
    const mistakes = (error.members['mistakes'] ?? []) as readonly FileMistake[];
    return {
      config: options.config,
      findings: mistakes.map((mistake): Finding => ({ rule: 'config/mistake', level: 'error', ...mistake })),
      counts: { services: 0, endpoints: 0, roles: 0, definitions: 0 },
      assertions: [],
    };
  }
  const against = options.against === undefined ? undefined : await readAgainst(options.against, options.key);
  const recorded = await readUse(options);
  const report = await checkModel(checkDeps, {
    loaded,
    now: new Date(systemClock.now()).toISOString(),
    ...(against && { against }),
    ...(options.coverageMin !== undefined && { coverageMin: percentOf(options.coverageMin) }),
    questionsMax: Number(options.questionsMax),
    ...(options.acceptGains && { acceptGains: true }),
    ...(recorded && { recorded }),
  });
  return { ...report, findings: [...report.findings, ...feedFindings(loaded)] };
};

/** Mistakes in the rules, transmitters and notices that grants would refuse to start with. */
const feedFindings = (loaded: LoadedConfig): Finding[] =>
  [loadFeedRules, loadTransmitters, loadNotices].flatMap((load) => {
    try {
      load(loaded);
      return [];
    } catch (error) {
      if (!isProblem(error, 'runtime/bad-config')) throw error;
      const mistakes = (error.members['mistakes'] ?? []) as readonly FileMistake[];
      return mistakes.map((mistake): Finding => ({ rule: 'config/mistake', level: 'error', ...mistake }));
    }
  });

const percentOf = (text: string): number => {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new CommandFailure(`--coverage-min takes 0 to 100, not "${text}"`, 64);
};

/** Where the facts are live, so is a record; else the calls have to be named, and facts to go with them. */
const readUse = async ({ against, decisions, since, key }: Options): Promise<Recorded | undefined> => {
  const source = decisions ?? (against !== undefined && isGate(against) ? against : undefined);
  if (source === undefined) return undefined;
  if (against === undefined || (!isGate(against) && isModel(against)))
    throw new CommandFailure(
      'calls alone do not say who holds what: name a gate or a file of facts with --against',
      64,
    );
  const reading = readCalls({ against: source, since, key });
  return { source, ...(await (isGate(source) ? unasked(reading) : reading)) };
};

const isGate = (source: string): boolean => /^https?:/.test(source);
const isModel = (source: string): boolean =>
  /\.ya?ml$/.test(source) || (existsSync(source) && statSync(source).isDirectory());

/** A gate that refuses to be read leaves the comparison undone; that must not read as a finding. */
const unasked = async <Result>(asking: Promise<Result>): Promise<Result> => {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === exitCodes.refused)
      throw new CommandFailure(error.message, exitCodes.couldNotAsk);
    throw error;
  }
};

const readAgainst = async (source: string, key: string | undefined): Promise<Against> => {
  if (isGate(source)) {
    const to = connection({ gate: source, key }, process.env);
    const answer = await request(to, '/audit/facts', {
      query: { order: 'oldest' },
      headers: { accept: 'application/x-ndjson' },
    });
    if (!answer.ok) throw new CommandFailure((await failureOf(answer)).message, exitCodes.couldNotAsk);
    return factsFrom(source, await answer.text());
  }
  if (!existsSync(source)) throw new CommandFailure(`${source} does not exist`, 1);
  if (!isModel(source)) return factsFrom(source, readFileSync(source, 'utf8'));
  const file = statSync(source).isDirectory() ? join(source, 'postern.yaml') : source;
  return { kind: 'files', name: source, model: loadModel(loadConfig(file, process.env)) };
};

const factsFrom = (name: string, text: string): Against => {
  const facts = readFacts(text);
  if ('what' in facts) throw new CommandFailure(`${name}:${facts.line} ${facts.what}`, 1);
  return { kind: 'facts', name, facts };
};
