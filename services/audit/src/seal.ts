/**
 * Sealing: signing what the log has grown to. A head is signed only when this process has hashed it itself from the stored leaves,
 * on top of the tree it signed before, and it equals what ingest wrote: an inconsistent head is never signed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore, LogName } from '@postern/audit-store';
import { type Clock, instant, type Logger, toProblem } from '@postern/runtime';
import { isProblem, type Problem } from '@postern/schemas';
import { edgeRoot, equalBytes, signCheckpoint } from '@postern/schemas/tlog';
import { attributes, metrics, spans, type Telemetry } from '@postern/telemetry';
import type { Anchors } from './anchor.ts';
import { altered, checkEntries, checkTree } from './check-record.ts';
import { checkPruned } from './retention/check-pruned.ts';
import { sha256 } from './sha256.ts';
import type { LogKeys } from './signing-key.ts';
import type { LogTree } from './tree.ts';

export type SealDeps = {
  readonly store: Pick<AuditStore, 'writer' | 'reader'>;
  readonly tree: LogTree;
  readonly keys: LogKeys;
  /** Where the newest checkpoint is kept outside the store. */
  readonly anchors: Anchors | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
};

export type SealConfig = {
  /** A log that has grown is sealed no more often than this. */
  readonly sealEveryMs: number;
  /** A log is sealed at least this often, grown or not: a proof of life. */
  readonly sealAtLeastEveryMs: number;
  /** How many of the newest entries are hashed again at the start, to the byte; all leaves are. */
  readonly entriesCheckedAtStart: number;
};

export type Sealer = {
  /** Judges the stored record, then seals until `signal` aborts or the record turns out altered. Never rejects. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Seals once, where there is something to seal. Rejects with `audit/record-altered` and the store's problems. */
  readonly seal: () => Promise<void>;
  readonly notReady: () => readonly string[];
};

const retryMs = 1_000;

export const sealer = (deps: SealDeps, name: LogName, config: SealConfig): Sealer => {
  const { store, tree, keys, anchors, clock, log, telemetry } = deps;
  const age = telemetry.metrics.gauge(metrics.checkpointAge, 'Seconds since the newest checkpoint of the log', ['log']);
  const origin = keys.signers[0]?.name ?? '';
  let checked = false;
  let trouble: Problem | undefined;
  let signed = 0;
  let sealedAt: number | undefined;

  const check = async (): Promise<void> => {
    signed = await checkTree(store, name, tree, keys.known, await anchors?.read(name));
    const size = tree.size();
    const pruned = await checkPruned(store.reader, name, tree);
    await checkEntries(store.reader, name, Math.max(pruned, size - config.entriesCheckedAtStart), size);
    checked = true;
  };

  const seal = async (): Promise<void> => {
    if (!checked) await check();
    const { size, edge } = await store.writer.state(name);
    const idleMs = sealedAt === undefined ? Number.POSITIVE_INFINITY : clock.elapsed() - sealedAt;
    if (size === signed && idleMs < config.sealAtLeastEveryMs) return;
    if (size < signed) throw altered(name, `${signed} entries were signed, the record holds ${size}`);
    await tree.grow(size);
    const root = await tree.root(size);
    if (!equalBytes(root, edgeRoot(sha256, edge))) throw altered(name, 'the leaves are not those that were taken in');
    await telemetry.span(spans.seal, { attributes: { [attributes.log]: name, [attributes.size]: size } }, async () => {
      const note = await signCheckpoint({ origin, size, root }, keys.signers);
      // Whatever is signed is on this disk before anybody else can see it.
      await anchors?.write(name, note);
      await store.writer.seal(name, { size, root, note: await withWitnesses(note, size), at: instant(clock) });
    });
    [signed, sealedAt] = [size, clock.elapsed()];
  };

  /** A proof of life says what was signed before, the signatures of witnesses too. */
  const withWitnesses = async (note: string, size: number): Promise<string> => {
    const newest = size === signed ? await store.reader.checkpoint(name) : undefined;
    return newest?.note.startsWith(note) === true ? newest.note : note;
  };

  return {
    seal,
    run: async (signal) => {
      while (!signal.aborted) {
        let waitMs = config.sealEveryMs;
        try {
          await seal();
          trouble = undefined;
        } catch (error) {
          if (signal.aborted) return;
          // Another instance has sealed a larger tree meanwhile: as good as ours.
          if (!isProblem(error, 'audit/not-at-head')) {
            trouble = toProblem(error);
            log.error({ log: name, code: trouble.code }, trouble.message);
            if (trouble.code === 'audit/record-altered') return;
            waitMs = Math.max(waitMs, retryMs);
          }
        }
        if (sealedAt !== undefined) age((clock.elapsed() - sealedAt) / 1_000, { log: name });
        await pause(waitMs, undefined, { signal }).catch(() => {});
      }
    },
    notReady: () => {
      if (trouble !== undefined) return [`${name} is not sealed: ${trouble.code}: ${trouble.message}`];
      return checked ? [] : [`the record of ${name} has not been judged yet`];
    },
  };
};
