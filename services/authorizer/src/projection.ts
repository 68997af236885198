/**
 * The projection: follows the facts, folds them into the organisation and writes the relationships they mean into the engine, each
 * once, together with the place it has reached. It stops, and says so, before a fact that it cannot read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FactBatch, FactLog } from '@postern/event-log';
import type { Reached, Relationships } from '@postern/relationships';
import type { Clock, Logger } from '@postern/runtime';
import { beginning, isProblem, Organisation, Problem } from '@postern/schemas';
import { attributes, continuing, metrics, spans, type Telemetry } from '@postern/telemetry';
import { fold, isReadable, type Pending } from './projection/backlog.ts';
import { reconcile } from './projection/reconcile.ts';
import { type Seam, seam } from './projection/seam.ts';
import { standing } from './projection/standing.ts';
import { Rewound, updatesAtOnce, type Writer, writer } from './projection/writer.ts';

export type ProjectionDeps = {
  readonly facts: Pick<FactLog, 'head' | 'follow'>;
  readonly engine: Relationships;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
};

export type Projection = {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  readonly reached: () => Reached | undefined;
  readonly until: (sequence: Reached['sequence'], timeoutMs: number) => Promise<Reached | undefined>;
  /** Resolves where another place than this has been reached; with undefined after `timeoutMs`. */
  readonly beyond: (reached: Reached | undefined, timeoutMs: number) => Promise<Reached | undefined>;
  /** Asks the engine while it stands at {@link reached}, and not between two models. */
  readonly asked: Seam['asked'];
  /** Folded at least as far as {@link reached}. */
  readonly organisation: () => Organisation;
  readonly notReady: () => readonly string[];
};

const takesSteps = (pending: readonly Pending[]): boolean =>
  pending.some(({ publishes }) => publishes) ||
  pending.reduce((sum, { updates }) => sum + updates.length, 0) > updatesAtOnce;

const retryPauseMs = { first: 100, max: 2_000 } as const;

export const projection = ({ facts, engine, clock, log, telemetry }: ProjectionDeps): Projection => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const stand = standing();
  const between = seam();
  const projected = telemetry.metrics.gauge(metrics.projectedSequence, 'The last fact whose relationships are written');
  const setAside = telemetry.metrics.gauge(metrics.relationshipsAside, 'Relationships that the schema does not know');
  const took = telemetry.metrics.histogram(metrics.projectionSeconds, 'From reading facts to having them written');
  let organisation = new Organisation();
  let trouble: string | undefined = 'the projection has not begun';
  let running: Promise<void> = Promise.resolve();

  const move = (reached: Reached | undefined): void => {
    stand.move(reached);
    if (reached !== undefined) projected(reached.sequence);
  };

  /** The engine may be away for as long as it likes: what is asked of it is idempotent or guarded by the checkpoint. */
  const persist = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let pauseMs: number = retryPauseMs.first; ; pauseMs = Math.min(pauseMs * 2, retryPauseMs.max)) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted || !isProblem(error, 'authorizer/engine-unreachable')) throw error;
        if (trouble !== error.message) log.warn({ err: error }, 'the relationship engine does not answer; trying on');
        trouble = error.message;
        await sleep(pauseMs, undefined, { signal });
      }
    }
  };

  /** What was written before this start is compared with the fold, once; false where another projector moved on meanwhile. */
  const settle = async (writes: Writer): Promise<boolean> => {
    const { outcome, updates } = await persist(() => reconcile(engine, organisation, writes.mend));
    if (outcome === 'repaired')
      log.error(
        { updates, sequence: writes.checkpoint().sequence },
        'the engine did not hold what the facts mean; it was mended',
      );
    return outcome !== 'moved-on';
  };

  const takeIn = (batch: FactBatch): { pending: Pending[]; unreadable?: string } => {
    const pending: Pending[] = [];
    for (const entry of batch.entries) {
      if (!isReadable(entry))
        return { pending, unreadable: `fact ${entry.sequence} of type ${entry.envelope.type} cannot be read` };
      pending.push(fold(organisation, entry));
    }
    return { pending };
  };

  const writeBatch = (writes: Writer, pending: readonly Pending[], batch: FactBatch): Promise<string | undefined> => {
    if (pending.length === 0) return persist(() => writes.write([]));
    const last = pending.at(-1);
    const carriers = pending.map(({ sequence }) => batch.carriers?.get(sequence));
    return telemetry.span(
      spans.project,
      {
        kind: 'consumer',
        attributes: { [attributes.sequence]: last?.sequence ?? 0, [attributes.batchSize]: pending.length },
        ...continuing(carriers),
      },
      () => {
        let rest = pending;
        return persist(() => {
          const now = rest;
          rest = []; // the writer keeps what it was given, so a repetition brings nothing new
          return writes.write(now);
        });
      },
    );
  };

  const run = async (): Promise<void> => {
    organisation = new Organisation();
    const stood = await persist(() => engine.reached());
    const head = await facts.head();
    if (stood.sequence > head)
      throw new Problem('authorizer/engine-ahead', {
        detail: `the engine has reached ${stood.sequence}, the log ends at ${head}`,
        fix: 'Restore the log this engine belongs to, or empty the engine: it is filled again from the log.',
      });
    let settled = stood.sequence === beginning;
    const writes = writer(engine, stood, ({ relationship }, why) =>
      log.error({ relationship, why }, 'a relationship that the schema in force does not know was set aside'),
    );
    for await (const batch of facts.follow(beginning, { signal })) {
      const started = clock.elapsed();
      const { pending, unreadable } = takeIn(batch);
      if (takesSteps(pending)) await between.close();
      if (!settled && organisation.sequence >= writes.checkpoint().sequence) {
        // The fold may have gone past the checkpoint within this batch: the engine is brought to where the fold stands first.
        trouble = await writeBatch(writes, pending, batch);
        if (trouble === undefined && organisation.sequence === writes.checkpoint().sequence)
          settled = await settle(writes);
        await persist(() => writes.compare());
      } else if (settled) {
        trouble = await writeBatch(writes, pending, batch);
        if (pending.length === 0) await persist(() => writes.compare());
      }
      setAside(writes.aside().length);
      if (settled) move(writes.checkpoint());
      between.open();
      if (pending.length > 0) took((clock.elapsed() - started) / 1_000);
      if (unreadable !== undefined) throw new Problem('authorizer/unreadable-fact', { detail: unreadable });
    }
  };

  const runForever = async (): Promise<void> => {
    for (let pauseMs: number = retryPauseMs.first; !signal.aborted; pauseMs = Math.min(pauseMs * 2, retryPauseMs.max)) {
      try {
        await run();
      } catch (error) {
        if (signal.aborted) return;
        // What stands in the engine is still true of the facts before an unreadable one; otherwise nothing may rest on it.
        if (!isProblem(error, 'authorizer/unreadable-fact')) move(undefined);
        between.open();
        trouble = error instanceof Error ? error.message : String(error);
        log.error({ err: error }, 'the projection stopped');
        if (isProblem(error) && !isProblem(error, 'event-log/unreachable')) return;
        if (error instanceof Rewound) pauseMs = retryPauseMs.first;
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  return {
    asked: between.asked,
    start: () => {
      running = runForever();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    reached: stand.reached,
    until: stand.until,
    beyond: stand.beyond,
    organisation: () => organisation,
    notReady: () => {
      if (trouble !== undefined) return [`authorizer: ${trouble}`];
      return stand.reached() === undefined ? ['authorizer: the projection has not reached the log yet'] : [];
    },
  };
};
