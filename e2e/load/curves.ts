/** What must not grow: the cost of a request over the number of routes, roles, people and cached decisions. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../world/embedded.ts';
import { measure, median, type Rounds } from './requests.ts';
import { bare, gateAlone, type Open, type Size, type Stage } from './stage.ts';

const sizes: readonly Size[] = [
  { routes: 10, roles: 1, users: 10 },
  { routes: 100, roles: 10, users: 1_000 },
  { routes: 1_000, roles: 100, users: 10_000 },
  { routes: 10_000, roles: 1_000, users: 100_000 },
];
const columns = (...all: readonly (string | number)[]): string => all.map((each) => String(each).padStart(12)).join('');

export const sizeCurve = async (stage: Stage, { seconds, rounds, connections }: Rounds): Promise<void> => {
  const mark = await bare(stage, 'undici', []);
  const gates: { readonly size: Size; readonly gate: Open }[] = [];
  try {
    for (const size of sizes) {
      process.stderr.write(`a gate of ${size.routes} routes, ${size.roles} roles, ${size.users} people\n`);
      gates.push({ size, gate: await gateAlone(stage, { size }) });
    }
    const all = [mark, ...gates.map(({ gate }) => gate)].flatMap(({ contender }) => contender ?? []);
    const taken = all.map(() => [] as { rate: number; cpuMicros: number }[]);
    for (const contender of all) await measure(contender, connections, 2);
    for (let round = 0; round < rounds; round++)
      for (const [at, contender] of all.entries()) taken[at]?.push(await measure(contender, connections, seconds));
    const rates = taken.map((each) => median(each.map(({ rate }) => rate)));
    const costs = taken.map((each) => median(each.map(({ cpuMicros }) => cpuMicros)));
    process.stdout.write(
      `\nTHE SIZE OF THE ORGANISATION, one caller, cached decision; ratio to the bare undici proxy\n${columns('ROUTES', 'ROLES', 'PEOPLE', 'RATIO', 'CPU µs')}\n`,
    );
    for (const [at, { size }] of gates.entries())
      process.stdout.write(
        `${columns(size.routes, size.roles, size.users, ((rates[at + 1] ?? 0) / (rates[0] ?? 1)).toFixed(2), (costs[at + 1] ?? 0).toFixed(1))}\n`,
      );
  } finally {
    await Promise.all([mark, ...gates.map(({ gate }) => gate)].map(({ stop }) => stop()));
  }
};

export const cacheCurve = (): void => {
  process.stdout.write(`\nCACHED DECISIONS, hits in random order\n${columns('ENTRIES', 'ns/hit', 'bytes/entry')}\n`);
  for (const entries of [1_000, 10_000, 100_000, 1_000_000]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--expose-gc',
        join(root, 'services/proxy/src/trial/cache-curve.ts'),
        String(entries),
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    const { nanoseconds, bytes } = JSON.parse(stdout) as { nanoseconds: number; bytes: number };
    process.stdout.write(`${columns(entries, nanoseconds.toFixed(0), bytes.toFixed(0))}\n`);
  }
};
