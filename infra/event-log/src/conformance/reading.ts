/** Reads a log the way a test needs it: up to somewhere, and then no further. */
import type { LoggedFact, Sequence } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Cursors, EventLog, FactBatch, IncomingRecord, RecordLog, Stranger } from '../port.ts';

/** Where something never comes, the test fails by this instead of hanging; no guarantee is measured by it. */
export const patienceMs = 60_000;

export type Read = {
  readonly entries: LoggedFact[];
  readonly strangers: Stranger[];
  readonly carriers: Map<Sequence, Carrier>;
};

export const factsUntil = async (
  log: EventLog,
  after: number,
  enough: (read: { readonly entries: LoggedFact[]; readonly batch: FactBatch }) => boolean,
): Promise<Read> => {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(patienceMs)]);
  const entries: LoggedFact[] = [];
  const strangers: Stranger[] = [];
  const carriers = new Map<Sequence, Carrier>();
  try {
    for await (const batch of log.facts.follow(after as Sequence, { signal, beatMs: 200 })) {
      entries.push(...batch.entries);
      strangers.push(...batch.strangers);
      for (const [sequence, carrier] of batch.carriers ?? []) carriers.set(sequence, carrier);
      if (enough({ entries, batch })) return { entries, strangers, carriers };
    }
  } finally {
    stop.abort();
  }
  throw new Error(`only ${entries.length} facts behind ${after} came in ${patienceMs} ms`);
};

/** Everything that is there now. */
export const factsAfter = (log: EventLog, after = 0) => factsUntil(log, after, ({ batch }) => batch.atHead);

export const recordsUntil = async (
  log: RecordLog,
  from: Cursors | 'end',
  count: number,
  begun: () => Promise<void> = async () => {},
  isLast: (text: string) => boolean = () => true,
): Promise<IncomingRecord[]> => {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(patienceMs)]);
  const records: IncomingRecord[] = [];
  let first = true;
  try {
    for await (const batch of log.follow(from, { signal, beatMs: 200 })) {
      records.push(...batch.records);
      if (first) await begun();
      first = false;
      if (records.length >= count && isLast(Buffer.from(records.at(-1)?.bytes ?? []).toString())) return records;
    }
  } finally {
    stop.abort();
  }
  throw new Error(`only ${records.length} of ${count} records came in ${patienceMs} ms`);
};
