/**
 * The last hours of decisions in a few numbers: how many of which outcome in each minute, and what refusals have in common. DecisionCounts from
 * the record when somebody asks, on from where the last one left off; nothing is counted while nobody looks.
 */
import { type AuditReader, cursorBehind, type FoundRow } from '@postern/audit-store';
import { type DecisionCounts, DecisionRecord, posternService, type RefusalCause } from '@postern/schemas';

const minuteMs = 60_000;
/** How far back is read at the first look, and how much is kept while somebody looks. */
const backMs = 3_600_000;
const keptMs = 24 * 3_600_000;
/** Pages of a thousand that one look reads at most. */
const pagesMax = 60;
const pageRows = 1_000;
const causesPerMinuteMax = 200;
const callersToldApartMax = 50;
const callersNamed = 5;

type Bucket = {
  allow: number;
  own: number;
  deny: number;
  unavailable: number;
  readonly causes: Map<string, Kept>;
};
type Kept = Omit<RefusalCause, 'count' | 'callers' | 'who' | 'example' | 'first'> & {
  count: number;
  readonly subjects: Set<string>;
  first: string;
  example: DecisionRecord;
};

export const pulse = (reader: Pick<AuditReader, 'find'>, nowMs: () => number) => {
  const buckets = new Map<number, Bucket>();
  let cursor: string | undefined;
  let sinceMs = 0;
  let counting: Promise<boolean> | undefined;

  const take = ({ body }: FoundRow): number | undefined => {
    const decision = DecisionRecord.safeParse(JSON.parse(body));
    if (!decision.success) return undefined;
    const { at, outcome, observed, service } = decision.data;
    const minute = Math.floor(Date.parse(at) / minuteMs) * minuteMs;
    const bucket = buckets.get(minute) ?? { allow: 0, own: 0, deny: 0, unavailable: 0, causes: new Map() };
    buckets.set(minute, bucket);
    bucket[outcome === 'allow' && service === posternService ? 'own' : outcome]++;
    if (outcome !== 'allow' || observed !== undefined) addCause(bucket.causes, decision.data);
    return minute;
  };

  /** Newest first, as far back as is wanted: what lies before is not looked at. */
  const begin = async (): Promise<boolean> => {
    sinceMs = nowMs() - backMs;
    let page = await reader.find('decisions', { limit: pageRows });
    const start = cursorBehind(page.size);
    for (let pages = 1; ; pages++) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const row of page.rows) oldest = Math.min(oldest, Date.parse(row.at));
      for (const row of page.rows) if (Date.parse(row.at) >= sinceMs) take(row);
      if (page.next === undefined || oldest < sinceMs) break;
      if (pages >= pagesMax) {
        sinceMs = oldest;
        break;
      }
      page = await reader.find('decisions', { limit: pageRows, cursor: page.next });
    }
    cursor = start;
    return false;
  };

  const goOn = async (from: string): Promise<boolean> => {
    let at = from;
    for (let pages = 0; pages < pagesMax; pages++) {
      const { rows, next, size } = await reader.find('decisions', { order: 'oldest', cursor: at, limit: pageRows });
      for (const row of rows) take(row);
      at = next ?? cursorBehind(size);
      cursor = at;
      if (next === undefined) return false;
    }
    return true;
  };

  const forget = (): void => {
    const before = nowMs() - keptMs;
    for (const minute of buckets.keys()) if (minute < before) buckets.delete(minute);
    sinceMs = Math.max(sinceMs, before);
  };

  return {
    /** `lastMs`: of how long. */
    counted: async (lastMs: number): Promise<DecisionCounts> => {
      counting ??= (cursor === undefined ? begin() : goOn(cursor)).finally(() => {
        counting = undefined;
      });
      const behind = await counting;
      forget();
      const from = Math.max(nowMs() - lastMs, sinceMs);
      const wanted = [...buckets].filter(([minute]) => minute >= from - minuteMs).sort(([a], [b]) => a - b);
      const causes = new Map<string, Kept>();
      for (const [, bucket] of wanted) for (const [key, kept] of bucket.causes) merge(causes, key, kept);
      return {
        minutes: wanted.map(([minute, { allow, own, deny, unavailable }]) => ({
          at: new Date(minute).toISOString(),
          allow,
          own,
          deny,
          unavailable,
        })),
        causes: [...causes.values()].sort((a, b) => b.count - a.count).map(toCause),
        since: new Date(from).toISOString(),
        behind,
      };
    },
  };
};

const addCause = (causes: Map<string, Kept>, decision: DecisionRecord): void => {
  const { reason, observed, endpoint, principal, at } = decision;
  const because = observed ?? reason ?? 'unknown';
  const kept: Kept = {
    reason: because,
    observed: observed !== undefined,
    ...(endpoint !== undefined && { endpoint }),
    count: 1,
    subjects: new Set([principal ?? 'nobody']),
    first: at,
    example: decision,
  };
  const named = JSON.stringify([because, endpoint ?? '', observed !== undefined]);
  merge(causes, causes.has(named) || causes.size < causesPerMinuteMax ? named : 'others', kept);
};

const merge = (causes: Map<string, Kept>, key: string, kept: Kept): void => {
  const known = causes.get(key);
  if (known === undefined) {
    causes.set(key, { ...kept, subjects: new Set(kept.subjects) });
    return;
  }
  known.count += kept.count;
  if (kept.first < known.first) known.first = kept.first;
  if (kept.example.at >= known.example.at) known.example = kept.example;
  for (const subject of kept.subjects) if (known.subjects.size < callersToldApartMax) known.subjects.add(subject);
};

const toCause = ({ subjects, ...kept }: Kept): RefusalCause => ({
  ...kept,
  callers: subjects.size,
  who: [...subjects].slice(0, callersNamed),
});
