/** Which prefix of the decisions may go: what the policy no longer keeps, and no legal hold does. */
import type { AuditQuery, AuditReader } from '@postern/audit-store';
import { durationMs, type FactOf, type HoldScope, holdText, readLoggedFact } from '@postern/schemas';
import { tileWidth } from '@postern/schemas/tlog';

export type StandingHold = { readonly id: string; readonly on: HoldScope };
export type Policy = FactOf<'postern.retention.applied.v1'>['data'];

export type Prefix = {
  /** RFC 3339: all that goes happened before. */
  readonly until: string;
  readonly from: number;
  /** The least index that stays. `from` where nothing goes. */
  readonly before: number;
  /** What the policy alone would have as the least index. */
  readonly wanted: number;
  /** The holds that keep something of it. */
  readonly held: readonly StandingHold[];
};

type Reader = Pick<AuditReader, 'find' | 'prunedBefore'>;

const pageRows = 1_000;

/** Every fact of a type that the record holds, oldest first. */
const factsOf = async (reader: Pick<AuditReader, 'find'>, type: string) => {
  const found = [];
  for (let cursor: string | undefined; ; ) {
    const page = await reader.find('facts', {
      type,
      order: 'oldest',
      limit: pageRows,
      ...(cursor !== undefined && { cursor }),
    });
    found.push(...page.rows);
    cursor = page.next;
    if (cursor === undefined) return found;
  }
};

export const standingHolds = async (reader: Pick<AuditReader, 'find'>): Promise<readonly StandingHold[]> => {
  const holds = new Map<string, StandingHold>();
  for (const { body } of await factsOf(reader, 'postern.hold.placed.v1')) {
    const { fact } = readLoggedFact(Buffer.from(body));
    if (fact?.type === 'postern.hold.placed.v1') holds.set(fact.data.hold, { id: fact.data.hold, on: fact.data.on });
  }
  for (const { body } of await factsOf(reader, 'postern.hold.lifted.v1')) {
    const { fact } = readLoggedFact(Buffer.from(body));
    if (fact?.type === 'postern.hold.lifted.v1') holds.delete(fact.data.hold);
  }
  return [...holds.values()];
};

/** The lowest index at which something of the query stands. */
const firstOf = async (reader: Reader, query: Omit<AuditQuery, 'limit' | 'order'>): Promise<number | undefined> =>
  (await reader.find('decisions', { ...query, order: 'oldest', limit: 1 })).rows[0]?.index;

/** Whole tiles go, so that no bundle of entries is left in part; never the last entry, and nothing that is not signed yet. */
const aligned = (index: number, sealed: number): number =>
  Math.floor(Math.min(index, sealed - 1) / tileWidth) * tileWidth;

/** `sealed`: the size of the newest checkpoint. Undefined where the policy keeps everything. */
export const prunablePrefix = async (
  reader: Reader,
  { decisions }: Policy,
  sealed: number,
  nowMs: number,
): Promise<Prefix | undefined> => {
  if (decisions === 'forever') return undefined;
  const until = new Date(nowMs - durationMs(decisions)).toISOString();
  const from = await reader.prunedBefore('decisions');
  const wanted = Math.max(from, aligned((await firstOf(reader, { since: until })) ?? sealed, sealed));
  const held: StandingHold[] = [];
  let before = wanted;
  for (const hold of await standingHolds(reader)) {
    const { subject, log, from: since, until: end } = hold.on;
    if (log === 'facts') continue;
    const first = await firstOf(reader, {
      ...(subject !== undefined && { subject }),
      ...(since !== undefined && { since }),
      ...(end !== undefined && { until: end }),
    });
    if (first === undefined || first >= wanted) continue;
    held.push(hold);
    before = Math.max(from, Math.min(before, aligned(first, sealed)));
  }
  return { until, from, before, wanted, held };
};

export const heldText = (holds: readonly StandingHold[]): string =>
  holds.map((hold) => holdText(hold as Parameters<typeof holdText>[0])).join('; ');
