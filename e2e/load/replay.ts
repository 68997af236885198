/**
 * What it costs to decide recorded decisions once more: a generated history, and decisions all over it.
 *
 *   node e2e/load/replay.ts [decisions=1000000] [facts=20000] [pairs=10000]
 *
 * The decisions are recorded as refused, so what differs is how many of them the engine allows. It prints the rate and asserts nothing.
 */
import { setImmediate } from 'node:timers/promises';
import { appendsOf, verifyDecisions } from '@postern/audit/app';
import { judgeOver } from '@postern/authorizer/app';
import { openRelationships } from '@postern/relationships/open';
import { beginning, type DecisionRecord, sealAppend } from '@postern/schemas';
import { asOfHistory, endpoint, person, timeOf } from './as-of-history.ts';

const [count = 1_000_000, size = 20_000, pairs = 10_000] = process.argv.slice(2).map(Number);

async function* facts() {
  let sequence = beginning;
  for (const draft of asOfHistory(size))
    for (const entry of sealAppend(sequence, [draft])) {
      sequence = entry.sequence;
      yield entry;
    }
}
/** Most decisions rest on few places of the log: people call all day, and access changes now and then. */
async function* decisions(): AsyncGenerator<DecisionRecord> {
  for (let n = 0; n < count; n++) {
    if (n % 10_000 === 0) await setImmediate();
    const pair = (n * 7_919) % pairs;
    const sequence = Math.floor((size * (1 + Math.floor((n * 100) / count))) / 100);
    yield {
      id: `d${n}`,
      at: timeOf(sequence),
      outcome: 'deny',
      reason: 'no-grant',
      principal: person(pair % 2_000),
      endpoint: endpoint(pair % 20, pair % 50),
      method: 'GET',
      path: '/',
      ip: '10.0.0.1',
      sequence,
    };
  }
}

const began = performance.now();
const {
  decisions: read,
  asked,
  differences,
} = await verifyDecisions(
  { openEngine: () => openRelationships('embedded:'), judgeOver },
  appendsOf(facts()),
  decisions(),
);
const seconds = (performance.now() - began) / 1_000;
const number = (value: number): string => Math.round(value).toLocaleString('en');
process.stdout.write(
  `${number(read)} decisions at 100 places of ${number(size)} facts: ${number(asked)} questions asked, ${number(differences.length)} allowed; ${seconds.toFixed(1)} s, ${number(read / seconds)} decisions and ${number(asked / seconds)} questions a second; ${number(process.memoryUsage().rss / 1e6)} MB\n`,
);
