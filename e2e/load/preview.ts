/**
 * What a preview of a large case costs: GitHub's REST description under hundreds of roles and thousands of people, and generated
 * decisions that are streamed and asked of two models.
 *
 *   node e2e/load/preview.ts [decisions=1000000] [pairs=10000] [--markdown]
 *
 * It prints the times and asserts nothing: a machine with other work on it says little.
 */
import { cpus } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { foldModel, type Model, preview, previewMarkdown, readUses } from '@postern/modelling/app';
import { bench } from '../../services/cli/src/bench.ts';
import { changedModel, decisions, githubEndpoints, hire, liveModel, sizes } from './github-organisation.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { markdown: { type: 'boolean', default: false } },
});
const [count = 1_000_000, pairs = 10_000] = positionals.map(Number);

async function* lines(): AsyncGenerator<string> {
  let told = 0;
  for (const line of decisions(count, pairs)) {
    yield line;
    // The engine's worker has its turn, as it would while a file is read.
    if (++told % 10_000 === 0) await setImmediate();
  }
}
const filled = async (model: Model) => {
  const folded = await foldModel(bench, model);
  hire(folded);
  await folded.settle();
  return folded;
};

const number = (value: number): string => value.toLocaleString('en');
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const began = performance.now();
await using live = await filled(liveModel);
await using here = await filled(changedModel());
const folded = performance.now();
const result = await preview({
  live,
  here,
  uses: readUses(lines()),
  places: { role: () => 'roles.yaml:1', endpoint: () => 'github.json:1' },
  wanted: () => false,
});
const ended = performance.now();
const { rss } = process.memoryUsage();
const { user, system } = process.cpuUsage();
process.stdout.write(
  `${number(githubEndpoints.length)} endpoints, ${number(sizes.roles)} roles, ${number(sizes.people)} people in ${number(sizes.teams)} teams, ${number([...live.relationships()].length)} relationships\n` +
    `${number(result.read)} decisions, ${number(result.distinct)} distinct pairs, ${number(result.asked)} questions asked, ${number(result.flips.length)} flips\n` +
    `both models folded in ${seconds(folded - began)}, previewed in ${seconds(ended - folded)}, together ${seconds(ended - began)} (${seconds((user + system) / 1_000)} of processor time); ${Math.round(rss / 1e6)} MB; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}\n`,
);
if (values.markdown) process.stdout.write(`\n${previewMarkdown(result)}\n`);
