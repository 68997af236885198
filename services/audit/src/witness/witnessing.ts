/**
 * Has the newest checkpoint signed by the witnesses that the configuration names, and keeps their signatures with it. A witness that
 * is away holds up nothing: it is asked again with a growing pause, and the age of the newest checkpoint with enough of them is told.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore, LogName, SealedCheckpoint } from '@postern/audit-store';
import { type Clock, instant, type Logger, toProblem } from '@postern/runtime';
import { cosignatures, withLines } from '@postern/schemas/tlog';
import { metrics, type Telemetry } from '@postern/telemetry';
import type { LogTree } from '../tree.ts';
import { type OutsideWitness, witnessAsker } from './ask.ts';

export type WitnessingDeps = {
  readonly store: Pick<AuditStore, 'writer' | 'reader'>;
  readonly tree: LogTree;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
};
export type WitnessingConfig = {
  readonly witnesses: readonly OutsideWitness[];
  /** How many of them have to sign before a checkpoint counts as witnessed. */
  readonly quorum: number;
  readonly everyMs: number;
};
export type Witnessing = {
  /** Resolves when `signal` aborts. Never rejects. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Witnesses that have signed what this log has not grown from. */
  readonly watched: () => readonly { readonly what: string; readonly since: string }[];
};

const pausesMs = [1_000, 5_000, 30_000, 120_000, 600_000];

export const witnessing = (deps: WitnessingDeps, name: LogName, config: WitnessingConfig): Witnessing => {
  const { store, tree, clock, log, telemetry } = deps;
  const age = telemetry.metrics.gauge(
    metrics.unwitnessedAge,
    'Seconds since the newest checkpoint that enough witnesses have signed',
    ['log'],
  );
  const keys = config.witnesses.map(({ key }) => key);
  const askers = config.witnesses.map((witness) => ({
    witness,
    ask: witnessAsker(witness, tree),
    failures: 0,
    notBefore: Number.NEGATIVE_INFINITY,
  }));
  const contradicting = new Map<string, { readonly what: string; readonly since: string }>();
  const startedAt = clock.now();

  const askAll = async ({ size, root, note }: SealedCheckpoint, signal: AbortSignal): Promise<void> => {
    const have = await cosignatures(note, keys);
    const lines: string[] = [];
    const missing = askers.filter(
      ({ witness, notBefore }) => !have.some(({ key }) => key === witness.key) && notBefore <= clock.elapsed(),
    );
    await Promise.all(
      missing.map(async (asker) => {
        const { witness } = asker;
        const asked = await asker.ask(size, note, signal);
        if (signal.aborted) return;
        if (asked.outcome === 'signed') {
          lines.push(...asked.lines);
          asker.failures = 0;
          contradicting.delete(witness.key.name);
          return;
        }
        asker.notBefore = clock.elapsed() + (pausesMs[Math.min(asker.failures++, pausesMs.length - 1)] ?? 0);
        log[asked.outcome === 'failed' ? 'warn' : 'error']({ log: name, witness: witness.key.name }, asked.why);
        if (asked.outcome === 'contradicted')
          contradicting.set(witness.key.name, {
            what: `the witness ${witness.key.name} contradicts ${name}: ${asked.why}`,
            since: contradicting.get(witness.key.name)?.since ?? instant(clock),
          });
      }),
    );
    if (lines.length > 0)
      await store.writer.cosign(
        name,
        { size, root, note: withLines(note, lines), at: instant(clock) },
        have.length + lines.length,
      );
  };

  return {
    watched: () => [...contradicting.values()],
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          const newest = await store.reader.checkpoint(name);
          if (newest !== undefined) await askAll(newest, signal);
          const witnessed = await store.reader.checkpointWith(name, { witnesses: config.quorum });
          const since = witnessed === undefined ? startedAt : Date.parse(witnessed.at);
          age(Math.max(0, (clock.now() - since) / 1_000), { log: name });
        } catch (error) {
          if (!signal.aborted) log.warn({ log: name, code: toProblem(error).code }, 'no witness was asked');
        }
        await pause(config.everyMs, undefined, { signal }).catch(() => {});
      }
    },
  };
};
