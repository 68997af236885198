/**
 * Runs test files by what they need, several suites in one call, and ends with `N passed, N failed`.
 *
 *   pure         schemas, infra, services: *.test.ts            milliseconds, nothing but code
 *   integration  schemas, infra, services: *.int.test.ts        real embedded engines, files, sockets
 *   embedded     e2e: *.e2e.test.ts                             journeys against a started `postern up`
 *   containers   everywhere: *.containers.test.ts               the same on real Kafka, SpiceDB and PostgreSQL
 *   long         everywhere: *.long.test.ts                     minutes of chance, on all cores
 *
 * Further arguments that are no suite's name keep only the files whose path contains one of them.
 *
 * Where conformance suites ran, a table says which backend keeps which promises; the counts stay the last line.
 */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { matrixText, readMatrix } from './conformance-matrix.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const rooms = '{schemas,infra/*,services/*}/src/**';
const kind = (file: string) => /\.(int|e2e|containers|long)\.test\.ts$/.exec(file)?.[1] ?? 'pure';
const suites: Record<
  string,
  { readonly patterns: readonly string[]; readonly kind: string; readonly concurrency: number }
> = {
  pure: { patterns: [`${rooms}/*.test.ts`, 'e2e/**/*.test.ts'], kind: 'pure', concurrency: 2 },
  integration: { patterns: [`${rooms}/*.test.ts`], kind: 'int', concurrency: 2 },
  embedded: { patterns: ['e2e/**/*.test.ts'], kind: 'e2e', concurrency: 1 },
  containers: { patterns: [`${rooms}/*.test.ts`, 'e2e/**/*.test.ts'], kind: 'containers', concurrency: 1 },
  long: { patterns: [`${rooms}/*.test.ts`, 'e2e/**/*.test.ts'], kind: 'long', concurrency: 1 },
};

const names = process.argv.slice(2);
const chosen = names.filter((name) => name in suites);
const filters = names.filter((name) => !(name in suites));
// The test files' processes inherit it; the conformance suites among them leave their results there.
const matrixFolder = mkdtempSync(join(tmpdir(), 'postern-matrix-'));
const matrixFile = join(matrixFolder, 'results');
process.env['POSTERN_CONFORMANCE_MATRIX'] = matrixFile;
let passed = 0;
let failed = 0;
for (const name of chosen) {
  const suite = suites[name];
  if (suite === undefined) continue;
  const files = suite.patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') }))
    .filter(
      (file) => kind(file) === suite.kind && (filters.length === 0 || filters.some((filter) => file.includes(filter))),
    )
    .map((file) => join(root, file));
  if (files.length === 0) continue;
  process.stdout.write(`\n${name}: ${files.length} files\n`);
  const stream = run({
    files,
    concurrency: suite.concurrency,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    cwd: root,
  });
  stream.on('test:pass', ({ details, skip, todo }) => {
    if (details.type !== 'suite' && !skip && !todo) passed++;
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') failed++;
  });
  const report = stream.compose(new spec());
  for await (const chunk of report) process.stdout.write(chunk);
}
const matrix = matrixText(readMatrix(matrixFile));
rmSync(matrixFolder, { recursive: true });
if (matrix !== '') process.stdout.write(`\n${matrix}\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
