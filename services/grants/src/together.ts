/**
 * Many commands that do not touch each other, decided on one state and appended together: each stands or falls alone, and a
 * thousand of them cost one wait for the disk. Whoever gives them answers for it that none rests on what another changes.
 */
import { appendBytesMax, type Fact, type FactDraft, isProblem, Problem } from '@postern/schemas';
import {
  append,
  attemptsMax,
  type CommandsDeps,
  circumstancesOf,
  correlationOf,
  type Done,
  type Order,
} from './commands.ts';
import { decide } from './decide/decide.ts';
import { hasSeparations } from './decide/duties.ts';

/** For each order what became of it; a refusal's Problem stands in its place. Rejects where the log does. */
export type Together = (orders: readonly Order[]) => Promise<readonly (Done | Problem)[]>;

/** What the log adds to a draft: its place, its append, the version of the envelope, and commitments in place of short texts. */
const sealBytes = 450;

type Decided = { readonly at: number; readonly drafts: readonly FactDraft[] };

export const togetherHandler = (deps: CommandsDeps): Together => {
  const { turns } = deps;
  return (orders) => (orders.length === 0 ? Promise.resolve([]) : turns(() => carryOutTogether(orders, deps)));
};

const carryOutTogether = async (
  orders: readonly Order[],
  { facts, state, clock, telemetry }: CommandsDeps,
): Promise<readonly (Done | Problem)[]> => {
  const outcomes = new Map<number, Done | Problem>();
  const written = new Map<number, Fact[]>();
  const correlation = orders.map((order) => correlationOf(order, clock));
  for (let lostRounds = 0; lostRounds < attemptsMax; ) {
    const trouble = state.notReady();
    if (trouble !== undefined) throw new Problem('event-log/unreachable', { detail: trouble });
    let head = state.organisation.sequence;
    const decided: Decided[] = [];
    // Two groups that take in the same person could each pass, and not both: then each has to see what the one before it did.
    const inTurn = hasSeparations(state.organisation);
    for (const [at, order] of orders.entries()) {
      if (outcomes.has(at)) continue;
      if (inTurn && order.command.kind === 'shape-group' && decided.length > 0) break;
      const circumstances = circumstancesOf(order, correlation[at] ?? '', { clock, telemetry });
      const result = decide(order.command, state.organisation, circumstances);
      if (result.outcome === 'facts') decided.push({ at, drafts: result.facts });
      else
        outcomes.set(
          at,
          result.outcome === 'refused'
            ? result.problem
            : { sequence: head, facts: written.get(at) ?? [], repeated: false },
        );
    }
    let lost = false;
    for (const parts of inAppends(decided)) {
      const appended = await append(
        facts,
        head,
        parts.flatMap(({ drafts }) => drafts),
      ).catch((error: unknown) => {
        // One that is too large by itself falls alone.
        const [only] = parts;
        if (parts.length !== 1 || only === undefined || !isProblem(error, 'grants/fact-too-large')) throw error;
        outcomes.set(only.at, error);
        return undefined;
      });
      if (appended === undefined) continue;
      await state.reached(appended.head);
      head = appended.head;
      lost = appended.outcome !== 'appended';
      if (appended.outcome !== 'appended') break;
      let from = 0;
      for (const { at, drafts, whole } of parts) {
        const own = appended.entries.slice(from, from + drafts.length).flatMap(({ fact }) => fact ?? []);
        from += drafts.length;
        const all = [...(written.get(at) ?? []), ...own];
        written.set(at, all);
        if (whole) outcomes.set(at, { sequence: head, facts: all, repeated: false });
      }
    }
    if (outcomes.size === orders.length) return orders.flatMap((_, at) => outcomes.get(at) ?? []);
    if (lost) lostRounds++;
  }
  throw new Problem('grants/contended', { detail: `lost ${attemptsMax} rounds`, fix: 'Send it again.' });
};

type Part = Decided & {
  /** Nothing of the order is left for a later append. */
  readonly whole: boolean;
};

/** Orders stay whole where they fit into one append; one that does not is written piece by piece, in its own order. */
const inAppends = (decided: readonly Decided[]): readonly (readonly Part[])[] => {
  const appends: Part[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const add = (part: Part, size: number): void => {
    if (bytes + size > appendBytesMax) {
      appends.push([]);
      bytes = 0;
    }
    appends.at(-1)?.push(part);
    bytes += size;
  };
  for (const { at, drafts } of decided) {
    const sizes = drafts.map((draft) => Buffer.byteLength(JSON.stringify(draft)) + sealBytes);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total <= appendBytesMax) add({ at, drafts, whole: true }, total);
    else
      for (const [index, draft] of drafts.entries())
        add({ at, drafts: [draft], whole: index === drafts.length - 1 }, sizes[index] ?? 0);
  }
  return appends;
};
