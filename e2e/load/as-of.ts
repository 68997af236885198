/**
 * What questions about the past cost over a long history: facts that are generated, kept in an audit file, and asked about.
 *
 *   node e2e/load/as-of.ts [facts=1000000] [folder]
 *
 * With a folder the record is kept there and used again. It prints the times and asserts nothing.
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AskPast, past } from '@postern/audit/app';
import type { AuditStore } from '@postern/audit-store';
import { openAuditStore } from '@postern/audit-store/open';
import { questionsOver } from '@postern/authorizer/app';
import { openRelationships } from '@postern/relationships/open';
import { beginning, sealAppend } from '@postern/schemas';
import { growEdge, leafHash } from '@postern/schemas/tlog';
import { noTelemetry } from '@postern/telemetry';
import { asOfHistory, endpoint, person, timeOf } from './as-of-history.ts';

const [count = '1000000', kept] = process.argv.slice(2);
const size = Number(count);
const folder = kept ?? (await mkdtemp(join(tmpdir(), 'postern-as-of-')));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const timed = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
  const began = performance.now();
  const result = await work();
  say(`${what.padEnd(70)} ${(performance.now() - began).toFixed(0).padStart(8)} ms`);
  return result;
};

const atOnce = 2_000;
const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');
const fill = async ({ writer }: AuditStore): Promise<void> => {
  let { size: expected, edge } = await writer.state('facts');
  if (expected >= size) return;
  let sequence = beginning;
  let batch: Parameters<typeof writer.append>[0]['entries'][number][] = [];
  const flush = async (): Promise<void> => {
    const leaves = batch.map(({ leaf }) => leaf);
    edge = growEdge(sha256, edge, expected, leaves);
    await writer.append({ log: 'facts', expected, entries: batch, edge, cursors: {} });
    expected += batch.length;
    batch = [];
  };
  for (const draft of asOfHistory(size)) {
    const [entry] = sealAppend(sequence, [draft]);
    if (entry === undefined) continue;
    sequence = entry.sequence;
    const row = { id: draft.id, at: draft.recordedtime, type: draft.type, sequence, body: '{}' };
    batch.push({ bytes: entry.bytes, leaf: leafHash(sha256, entry.bytes), rows: [row] });
    if (batch.length === atOnce) await flush();
  }
  if (batch.length > 0) await flush();
};

const askPast: AskPast = questionsOver;
try {
  await using store = await openAuditStore(`file:${folder}`, noTelemetry);
  await timed(`write ${size.toLocaleString('en')} facts`, () => fill(store));
  await using ago = past({ entries: store.reader, openEngine: () => openRelationships('embedded:'), askPast });
  const momentAt = (n: number) => ago.moment(size, { text: timeOf(n), known: 'then', nowMs: 0 });
  const half = Math.floor(size / 2);
  const cold = performance.now();
  const moment = await timed('cold: find what every fact is about', () => momentAt(half));
  const first = await timed('cold: the first question, with its engine: what could one person call', () =>
    ago.what(person(500), moment),
  );
  say(
    `${'cold, together'.padEnd(70)} ${(performance.now() - cold).toFixed(0).padStart(8)} ms (${first.length} rights)`,
  );
  const took: number[] = [];
  const measure = async (what: string, times: number, ask: (n: number) => Promise<unknown>): Promise<void> => {
    took.length = 0;
    for (let n = 0; n < times; n++) {
      const began = performance.now();
      await ask(n);
      took.push(performance.now() - began);
    }
    took.sort((a, b) => a - b);
    const at = (share: number) => (took[Math.floor((took.length - 1) * share)] ?? 0).toFixed(0);
    say(`${what.padEnd(70)} ${at(0.5).padStart(8)} ms at the median, ${at(0.95)} at p95, ${at(1)} at most (${times})`);
  };
  const somewhen = (n: number) => momentAt(Math.floor(size * (0.2 + 0.75 * ((n * 0.618) % 1))));
  await measure('warm: what could somebody call, somewhen', 40, async (n) =>
    ago.what(person(n * 37), await somewhen(n)),
  );
  await measure('warm: could somebody make a call, somewhen', 40, async (n) =>
    ago.can({ subject: person(n * 41), method: 'GET', path: '/service-3/operation4' }, await somewhen(n)),
  );
  await measure('warm: who could call an endpoint, somewhen', 10, async (n) => {
    const { rights } = await ago.who(endpoint(n % 20, (n * 7) % 50), await somewhen(n));
    if (n === 3) say(`  (for instance ${rights.length} subjects)`);
  });
  await measure('warm: the same question of the same moment again', 10, async () =>
    ago.who(endpoint(3, 21), await somewhen(3)),
  );
  const { rss } = process.memoryUsage();
  say(`${Math.round(rss / 1e6)} MB; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`);
} finally {
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}
