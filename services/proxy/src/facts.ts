/** Follows the log: folds it, forgets what it overtakes, cuts what it ends, and says how far all that has come. */
import type { EventLog, FactBatch } from '@postern/event-log';
import type { Clock, Logger } from '@postern/runtime';
import { type LoggedFact, leafTypes, type Organisation, readSchemaText } from '@postern/schemas';
import { attributes, continuing, spans, type Telemetry } from '@postern/telemetry';
import type { DecisionCache } from './decide/cache.ts';
import { invalidationsOf } from './decide/invalidation.ts';
import type { Lease } from './decide/lease.ts';
import type { Live, LiveExchanges } from './gate/live.ts';
import type { Rechecker } from './gate/recheck.ts';
import type { Routes } from './gate/routes.ts';
import type { Standing } from './gate/standing.ts';
import type { NeededRoles } from './needed.ts';

export type FactsDeps = {
  readonly facts: Pick<EventLog['facts'], 'follow'>;
  readonly organisation: Organisation;
  readonly cache: DecisionCache;
  readonly routes: Routes;
  readonly needed: NeededRoles;
  readonly live: LiveExchanges;
  readonly rechecker: Rechecker;
  readonly lease: Lease;
  readonly standing: Standing;
  /** More facts have been applied, an append always whole. */
  readonly applied: () => void;
  /** `standing.enforces` has advanced. */
  readonly advanced: () => void;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly leaseMs: number;
  readonly telemetry: Telemetry;
  readonly log: Logger;
};

const retryAfterMs = 250;
/** What is only written down for the record; the next heartbeat is soon enough. */
const nobodyWaitsFor: ReadonlySet<string> = new Set(['postern.enforcement.reached.v1', 'postern.audit.read.v1']);

/** Resolves when `signal` aborts, or when the log holds a fact that this version cannot read. */
export const followFacts = async (deps: FactsDeps, signal: AbortSignal): Promise<void> => {
  const {
    facts,
    organisation,
    cache,
    routes,
    needed,
    live,
    rechecker,
    lease,
    standing,
    applied,
    advanced,
    clock,
    leaseMs,
    telemetry,
    log,
  } = deps;
  /** Re-decisions in the order of the facts that caused them. */
  let settled = Promise.resolve();

  /** Types that nothing goes through under the schema that the log last published. */
  let leaves: ReadonlySet<string> = new Set();

  const apply = (entry: LoggedFact): Live[] => {
    const { fact } = entry;
    if (fact === undefined) throw new Unreadable(`${entry.envelope.type} at ${entry.sequence}`);
    const invalidations = invalidationsOf(fact, organisation.apply({ ...entry, fact }), leaves);
    if (fact.type === 'postern.schema.published.v1') leaves = leavesOf(organisation.schema);
    cache.invalidate(invalidations, entry.sequence);
    if (fact.type === 'postern.routes.published.v1') routes.changed();
    if (invalidations.some(({ kind }) => kind === 'epoch')) needed.forget();
    return live.touchedBy(invalidations);
  };
  const take = (entries: readonly LoggedFact[]): void => {
    // Somebody may wait for any of the others. Told at once, these would have every proxy beat once more for each revocation.
    const awaited = entries.some(({ envelope }) => !nobodyWaitsFor.has(envelope.type));
    const touched = new Set<Live>();
    try {
      for (const entry of entries) for (const exchange of apply(entry)) touched.add(exchange);
      applied();
    } finally {
      const reached = organisation.sequence;
      settled = settled
        .then(() => rechecker.recheck(touched))
        .then(() => {
          if (reached <= standing.enforces) return;
          standing.enforces = reached;
          if (awaited) advanced();
        });
    }
  };

  /** The span ends when whatever the facts refuse has been cut. */
  const traced = ({ entries, carriers }: FactBatch): void => {
    const span = {
      kind: 'consumer' as const,
      attributes: {
        [attributes.sequence]: entries.at(-1)?.sequence ?? 0,
        [attributes.batchSize]: entries.length,
      },
      ...continuing(carriers?.values() ?? []),
    };
    let failure: { readonly error: unknown } | undefined;
    void telemetry.span(spans.invalidate, span, async () => {
      try {
        take(entries);
      } catch (error) {
        failure = { error };
      }
      await settled;
    });
    if (failure !== undefined) throw failure.error;
  };

  while (!signal.aborted)
    try {
      // A batch is fetched when the one before it has been taken, never earlier.
      let askedAt = clock.elapsed();
      for await (const batch of facts.follow(organisation.sequence, { signal, beatMs: leaseMs / 5 })) {
        const { entries, atHead, strangers } = batch;
        for (const { position, why } of strangers)
          log.warn({ position, why }, 'a record in the facts stream is no fact');
        if (entries.length > 0) {
          if (telemetry.tracing) traced(batch);
          else take(entries);
        }
        if (atHead) lease.heard(askedAt);
        if (atHead && standing.state === 'starting') await begin();
        askedAt = clock.elapsed();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Unreadable) {
        standing.unreadable = error.message;
        log.fatal(
          { fact: error.message },
          'the log holds a fact that this version cannot read; nothing is let through',
        );
        for (const exchange of live.all()) rechecker.cut(exchange);
        return;
      }
      // Without the log the lease runs out by itself: there is nothing to decide here.
      log.error({ err: error }, 'the log cannot be followed');
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref());
    }

  /** A starting proxy serves only once it has reached the head it saw after everybody could know that it is starting. */
  async function begin(): Promise<void> {
    const { startHead } = standing;
    if (startHead === undefined || organisation.sequence < startHead) return;
    await settled;
    if (standing.state === 'starting') standing.state = 'serving';
    advanced();
  }
};

/** A schema that cannot be read here has no leaves: whatever touches its objects touches everything. */
const leavesOf = (schema: string | undefined): ReadonlySet<string> => {
  const read = schema === undefined ? undefined : readSchemaText(schema);
  return read === undefined ? new Set() : leafTypes(read);
};

class Unreadable extends Error {}
