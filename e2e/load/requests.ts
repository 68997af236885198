/** What a request pays: every contender in interleaved rounds, so that a slow minute hits everybody; medians, and ratios to the mark. */
import { atFullSpeed, generator } from './load.ts';
import { cpuMicrosOf } from './processes.ts';
import { bareUndici, type Contender } from './stage.ts';

type Measured = { readonly rate: number; readonly cpuMicros: number; readonly p50: number; readonly p99: number };
export type Rounds = { readonly seconds: number; readonly rounds: number; readonly connections: number };

export const measure = async (contender: Contender, connections: number, seconds: number): Promise<Measured> => {
  const spent = async () => {
    const each = await Promise.all(contender.pids.map(cpuMicrosOf));
    return each.reduce((sum, micros) => sum + micros, 0);
  };
  const before = await spent();
  const { requests, seconds: took, p50, p99 } = await atFullSpeed(contender, connections, seconds);
  return { rate: requests / took, cpuMicros: ((await spent()) - before) / requests, p50, p99 };
};

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

export const compareRequests = async (contenders: readonly Contender[], of: Rounds): Promise<void> => {
  const { seconds, rounds, connections } = of;
  const results = contenders.map((contender) => ({ contender, load: [] as Measured[], single: [] as Measured[] }));
  for (const contender of contenders) await measure(contender, connections, 2);
  for (let round = 1; round <= rounds; round++)
    for (const { contender, load, single } of results) {
      process.stderr.write(`round ${round} of ${rounds}: ${contender.name}\n`);
      load.push(await measure(contender, connections, seconds));
      single.push(await measure(contender, 1, Math.max(1, Math.floor(seconds / 2))));
    }
  const mark = results.find(({ contender }) => contender.name === bareUndici)?.load ?? [];
  const rateOf = (all: readonly Measured[]): number => median(all.map(({ rate }) => rate));
  process.stdout.write(
    `\n${generator}, ${connections} connections, ${rounds} rounds of ${seconds} s, medians; one machine shared by load, proxies and upstream\n\n` +
      `${'WHAT'.padEnd(44)}${'DOES'.padEnd(13)}${'REQ/S'.padStart(8)}${'RATIO'.padStart(7)}${'CPU µs'.padStart(9)}${'p99 ms'.padStart(9)}${'p50 µs, 1 conn'.padStart(17)}\n`,
  );
  for (const { contender, load, single } of results) {
    const [cpu, p99, p50] = [
      load.map(({ cpuMicros }) => cpuMicros),
      load.map((each) => each.p99),
      single.map((each) => each.p50),
    ].map(median);
    process.stdout.write(
      `${contender.name.padEnd(44)}${contender.does.padEnd(13)}${rateOf(load).toFixed(0).padStart(8)}` +
        `${(rateOf(load) / rateOf(mark)).toFixed(2).padStart(7)}${(cpu ?? 0).toFixed(1).padStart(9)}` +
        `${(p99 ?? 0).toFixed(1).padStart(9)}${((p50 ?? 0) * 1_000).toFixed(0).padStart(17)}\n`,
    );
  }
};
