/** What the gate adds to a request's time at half of what it can carry: cached decisions, and decisions that are asked for every time. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atFullSpeed, atRate, rateGenerator } from './load.ts';
import { startPeerSpiceDb } from './peers/peers.ts';
import { median, type Rounds } from './requests.ts';
import { type Contender, gateAlone, type Open, type Stage } from './stage.ts';

const large = { routes: 10_000, roles: 1_000, users: 100_000 };
const columns = (...all: readonly string[]): string =>
  all.map((each, at) => (at === 0 ? each.padEnd(58) : each.padStart(12))).join('');
const ms = (value: number): string => value.toFixed(2);

export const addedLatency = async (stage: Stage, of: Rounds): Promise<void> => {
  const { seconds, rounds, connections } = of;
  process.stdout.write(
    `\nADDED LATENCY at half load by ${rateGenerator}, ms: the gate's own quantile less the upstream's at the same rate\n${columns('', 'REQ/S', 'p50', 'p99')}\n`,
  );
  const measured = async (name: string, { contender, stop }: Open): Promise<void> => {
    try {
      if (contender === undefined) return;
      const rate = await halfOf(contender, connections);
      const added: { p50: number; p99: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        const direct = await atRate(stage.upstream, connections, seconds, rate);
        const through = await atRate(contender, connections, seconds, rate);
        added.push({ p50: through.p50 - direct.p50, p99: through.p99 - direct.p99 });
      }
      process.stdout.write(
        `${columns(name, rate.toFixed(0), ms(median(added.map(({ p50 }) => p50))), ms(median(added.map(({ p99 }) => p99))))}\n`,
      );
    } finally {
      await stop();
    }
  };
  await measured('cached', await gateAlone(stage));
  const spicedb = await startPeerSpiceDb();
  if (spicedb === undefined)
    return void process.stdout.write('not measured: uncached (spicedb is not on this machine)\n');
  try {
    const tokenFile = join(stage.folder, 'spicedb.token');
    await writeFile(tokenFile, spicedb.presharedKey, { mode: 0o600 });
    process.stderr.write('filling a SpiceDB server with 100,000 people, 1,000 roles, 10,000 endpoints\n');
    const relationships = `spicedb://${spicedb.endpoint}?tokenFile=${tokenFile}`;
    const gate = await gateAlone(stage, { size: large, relationships, cachedDecisionsMax: 0 });
    await measured('uncached, SpiceDB server of that size', gate);
  } finally {
    await spicedb.close();
  }
};

const halfOf = async (contender: Contender, connections: number): Promise<number> => {
  await atFullSpeed(contender, connections, 2);
  const { requests, seconds } = await atFullSpeed(contender, connections, 3);
  return requests / seconds / 2;
};
