/** For the bench: what a hit in a cache of so many decisions costs, and an entry. Prints one line of JSON. */
import type { Decided } from '../decide/cache.ts';
import { decisionCache } from '../decide/cache.ts';

const entries = Number(process.argv[2] ?? 1_000);
const endpoints = Math.min(10_000, Math.max(10, entries / 100));
const cache = decisionCache(2 * entries);
const askedOf = (at: number) => {
  const subject = `user:person-${Math.floor(at / endpoints)}`;
  return { subjects: [subject], caller: subject, endpoint: `api/operation-${at % endpoints}` };
};
const context = { now: '2026-11-24T10:00:00Z' };
const memory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const before = memory();
for (let at = 0; at < entries; at++)
  cache.keep(askedOf(at), context, { outcome: 'allow', sequence: 1, dependsOn: [] } as unknown as Decided);
const bytes = (memory() - before) / entries;

const hits = 200_000;
let seed = 12_345;
const order = Array.from({ length: hits }, () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return askedOf(seed % entries);
});
for (const asked of order) cache.find(asked, context);
const began = process.hrtime.bigint();
let found = 0;
for (const asked of order) if (cache.find(asked, context) !== undefined) found++;
const nanoseconds = Number(process.hrtime.bigint() - began) / hits;
if (found !== hits) throw new Error(`${hits - found} of ${hits} were not found`);
process.stdout.write(JSON.stringify({ nanoseconds, bytes }));
