/**
 * How long the logs are kept: the policy as a fact, and pruning by it. The fact comes first, decided behind the very head that it is
 * appended to, so no hold that was placed before it is passed over; then the store removes what the fact says, however often it is
 * interrupted. See docs/adr/0026.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import type { Clock, Logger } from '@postern/runtime';
import { type Actor, type FactOf, Problem, readLoggedFact, systemActor } from '@postern/schemas';
import { toBase64 } from '@postern/schemas/tlog';
import { ownFact } from '../readings/appending.ts';
import type { LogTree } from '../tree.ts';
import { heldText, type Policy, type Prefix, prunablePrefix } from './prefix.ts';

export type RetentionDeps = {
  readonly facts: Pick<EventLog['facts'], 'head' | 'append'>;
  readonly store: AuditStore;
  /** Of the decisions. */
  readonly tree: LogTree;
  readonly clock: Clock;
  readonly log: Logger;
};

export type RetentionConfig = {
  readonly policy: Policy;
  readonly lookEveryMs?: number;
  readonly pruneEveryMs?: number;
};

export type PrunedFact = FactOf<'postern.retention.pruned.v1'>['data'] & {
  readonly index: number;
  readonly recorded: string;
  readonly by: string;
};
export type Pruning = { readonly outcome: 'pruned' | 'nothing' | 'would-prune' } & Prefix;

export type Retention = {
  readonly policy: Policy;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** The newest fact that something was pruned; of those below `size`, where one is given. */
  readonly told: (size?: number) => Promise<PrunedFact | undefined>;
  /** Since when the policy is what it is. */
  readonly applied: () => Promise<
    { readonly sequence: number; readonly at: string; readonly policy: Policy } | undefined
  >;
  /**
   * Prunes what may go, now. Throws `audit/no-retention` where the policy keeps everything, and `audit/held` where holds keep all that
   * the policy does not.
   */
  readonly prune: (options: { readonly dryRun: boolean; readonly actor: Actor }) => Promise<Pruning>;
};

const roundsMax = 50;
const waitMs = 100;
/** How long a pruning waits until its fact is taken in and signed; the loop carries it out later where that takes longer. */
const patienceMs = 15_000;
/** Bounds how long one transaction holds the store. */
const entriesPerTransaction = 256;
/** Those that are not signed yet are few. */
const pruningsLooked = 20;

export const retention = (
  { facts, store, tree, clock, log }: RetentionDeps,
  { policy, lookEveryMs = 1_000, pruneEveryMs = 3_600_000 }: RetentionConfig,
): Retention => {
  const { reader } = store;

  const newest = async <Type extends 'postern.retention.pruned.v1' | 'postern.retention.applied.v1'>(
    type: Type,
    size = Number.POSITIVE_INFINITY,
  ) => {
    const [row] = (await reader.find('facts', { type, limit: pruningsLooked })).rows.filter(
      ({ index }) => index < size,
    );
    if (row === undefined) return undefined;
    const { fact } = readLoggedFact(Buffer.from(row.body));
    return fact?.type === type ? { row, fact: fact as FactOf<Type> } : undefined;
  };
  const told = async (size?: number): Promise<PrunedFact | undefined> => {
    const found = await newest('postern.retention.pruned.v1', size);
    return (
      found && { ...found.fact.data, index: found.row.index, recorded: found.fact.recordedtime, by: found.fact.authid }
    );
  };
  const applied = async () => {
    const found = await newest('postern.retention.applied.v1');
    return found && { sequence: found.row.index + 1, at: found.fact.recordedtime, policy: found.fact.data };
  };

  /** The head of the log, once the record has taken in all of it. */
  const caughtUp = async (): Promise<number | undefined> => {
    const head = await facts.head();
    return (await store.writer.state('facts')).size === head ? head : undefined;
  };

  const apply = async (): Promise<boolean> => {
    const head = await caughtUp();
    // A log that nobody has written to yet has no policy to tell of.
    if (head === undefined || head === 0) return false;
    const before = await applied();
    if (before?.policy.facts === policy.facts && before.policy.decisions === policy.decisions) return true;
    await facts.append(head as never, [ownFact(clock, 'postern.retention.applied.v1', policy)]);
    return false;
  };

  /** Removes what the newest fact says, once that fact is signed. Resolves with whether there is nothing more to do. */
  const carryOut = async (): Promise<boolean> => {
    const fact = await told();
    if (fact === undefined) return true;
    const reached = await reader.prunedBefore('decisions');
    if (reached >= fact.before) return true;
    if (((await reader.checkpoint('facts'))?.size ?? 0) <= fact.index) return false;
    for (let upTo = reached; upTo < fact.before; ) {
      upTo = Math.min(fact.before, upTo + entriesPerTransaction);
      await store.writer.prune('decisions', upTo, fact.index);
      await pause(0);
    }
    log.info({ before: fact.before, until: fact.until }, 'decisions were pruned');
    return true;
  };

  const decide = async (): Promise<Prefix> => {
    const sealed = (await reader.checkpoint('decisions'))?.size ?? 0;
    const prefix = await prunablePrefix(reader, policy, sealed, clock.now());
    if (prefix !== undefined) return prefix;
    throw new Problem('audit/no-retention', {
      detail: 'decisions are kept for ever',
      fix: 'Name how long in postern.yaml, for instance audit: { retention: { decisions: 400d } }.',
    });
  };

  const prune: Retention['prune'] = async ({ dryRun, actor }) => {
    for (let round = 0; round < roundsMax; round++) {
      const head = await caughtUp();
      if (head === undefined) {
        await pause(waitMs);
        continue;
      }
      const prefix = await decide();
      const { from, before, wanted, held, until } = prefix;
      if (before <= from && wanted > from)
        throw new Problem('audit/held', {
          detail: heldText(held),
          fix: 'What a hold covers, and whatever lies behind it in the log, stays until the hold is lifted.',
          members: { holds: held.map(({ id }) => id) },
        });
      if (dryRun) return { outcome: before > from ? 'would-prune' : 'nothing', ...prefix };
      if (before <= from) return { outcome: 'nothing', ...prefix };
      await tree.grow(before);
      const data = {
        log: 'decisions',
        from,
        before,
        until,
        root: toBase64(await tree.root(before)),
        policy: policy.decisions,
      } as const;
      const appended = await facts.append(head as never, [ownFact(clock, 'postern.retention.pruned.v1', data, actor)]);
      if (appended.outcome !== 'appended') continue;
      for (let waited = 0; waited < patienceMs; waited += waitMs) {
        const fact = await told();
        if (fact !== undefined && fact.before >= before && (await carryOut())) break;
        await pause(waitMs);
      }
      return { outcome: 'pruned', ...prefix };
    }
    throw new Problem('audit/not-at-head', { detail: 'others wrote facts all the time', fix: 'Ask again.' });
  };

  return {
    policy,
    told,
    applied,
    prune,
    run: async (signal) => {
      let isApplied = false;
      let prunedAt: number | undefined;
      for (; !signal.aborted; await pause(lookEveryMs, undefined, { signal }).catch(() => {})) {
        try {
          isApplied ||= await apply();
          if (!isApplied) continue;
          if (!(await carryOut()) || policy.decisions === 'forever') continue;
          if (prunedAt !== undefined && clock.elapsed() - prunedAt < pruneEveryMs) continue;
          await prune({ dryRun: false, actor: systemActor('audit') });
          prunedAt = clock.elapsed();
        } catch (error) {
          if (error instanceof Problem && error.code === 'audit/held') prunedAt = clock.elapsed();
          else log.debug({ err: error }, 'nothing can be pruned now; it is tried again');
        }
      }
    },
  };
};
