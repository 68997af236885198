/** The corpus of broken files: each is put in the place of a sound one, and says in its first lines what is to be said about it. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { checkModel, findingText, type ModellingDeps } from '@postern/modelling/app';
import { type FileMistake, loadConfig } from '@postern/runtime';
import { isProblem } from '@postern/schemas';

export type CorpusCase = {
  readonly kind: string;
  readonly name: string;
  readonly path: string;
  readonly expected: readonly string[];
};

export const corpusFolder = new URL('../../../modelling/corpus/', import.meta.url).pathname;

/** `# expect: roles.yaml:3: warning: TEXT`, in the file or in the first file of a folder. */
export const corpusCases = (): CorpusCase[] =>
  ['config', 'roles', 'routes', 'schema', 'assertions'].flatMap((kind) =>
    readdirSync(join(corpusFolder, kind))
      .sort()
      .map((name): CorpusCase => {
        const path = join(corpusFolder, kind, name);
        const files = statSync(path).isDirectory() ? readdirSync(path).map((each) => join(path, each)) : [path];
        const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
        const expected = lines.flatMap((line) => /^(?:#|\/\/) expect: (.*)$/.exec(line)?.[1] ?? []);
        return { kind, name, path, expected };
      }),
  );

/** A folder with the sound model in which the case's file stands in for its counterpart; answers with the configuration's path. */
export const stageCase = ({ kind, path }: CorpusCase): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-corpus-'));
  cpSync(join(corpusFolder, 'sound'), folder, { recursive: true });
  mkdirSync(join(folder, 'empty'));
  const config = join(folder, 'postern.yaml');
  // Only the assertions are asked where they are what is broken: elsewhere they would fail for the broken file's sake.
  if (kind !== 'assertions')
    writeFileSync(config, readFileSync(config, 'utf8').replace(', assertions: ./assertions.yaml', ''));
  if (kind === 'config') cpSync(path, config);
  if (kind === 'roles') cpSync(path, join(folder, 'roles.yaml'));
  if (kind === 'routes') {
    cpSync(path, join(folder, 'payroll.openapi.yaml'));
    writeFileSync(join(folder, 'roles.yaml'), 'payroll-writer:\n  allows: [{ service: payroll, access: write }]\n');
  }
  if (kind === 'assertions') cpSync(path, join(folder, 'assertions.yaml'));
  if (kind === 'schema') cpSync(path, join(folder, 'schema', basename(path)), { recursive: true });
  return config;
};

/** What is said about a case, one line a finding; notes and what the sound model's other files bring along left out. */
export const corpusReport = async (deps: ModellingDeps, each: CorpusCase): Promise<string[]> => {
  const config = stageCase(each);
  try {
    const loaded = loadConfig(config, {});
    const { findings } = await checkModel(deps, { loaded, now: '2026-11-24T09:00:00Z' });
    return findings
      .filter(({ level, rule }) => level !== 'note' && rule !== 'role/unused')
      .map((finding) => `${basename(finding.file)}:${finding.line}: ${findingText(finding)}`)
      .map((line) => line.replaceAll(config.replace(/postern\.yaml$/, ''), ''));
  } catch (error) {
    if (!isProblem(error, 'runtime/bad-config')) throw error;
    const mistakes = (error.members['mistakes'] ?? []) as readonly FileMistake[];
    return mistakes.map(
      ({ file, line, what, fix }) => `${basename(file)}:${line}: ${what}${fix === undefined ? '' : `: ${fix}`}`,
    );
  }
};
