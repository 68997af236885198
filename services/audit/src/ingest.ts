/**
 * One log's way into the record, exactly once: bytes, leaf, rows, edge and cursor in one transaction, at the size that the store
 * itself says. Whatever interrupts it, it goes on from what the store holds.
 *
 *   the store or the log does not answer   → named, tried again with a growing pause
 *   another ingester was first             → the state is read again, and on
 *   entries are missing, or the log has cut off what was not read   → named, and no step further: a gap is never papered over
 */

import { setImmediate as immediate, setTimeout as pause } from 'node:timers/promises';
import type { AuditEntry, AuditStore, Cursors, LogName, LogState } from '@postern/audit-store';
import { type Clock, type Logger, toProblem } from '@postern/runtime';
import type { Problem, ProblemCode } from '@postern/schemas';
import { growEdge } from '@postern/schemas/tlog';
import { attributes, type Carrier, continuing, spans, type Telemetry } from '@postern/telemetry';
import { sha256 } from './sha256.ts';

/** One record to take in. */
export type Incoming = {
  readonly entry: AuditEntry;
  /** Where reading goes on behind it. */
  readonly cursors: Cursors;
  readonly carrier?: Carrier;
};
export type IncomingBatch = { readonly incoming: readonly Incoming[]; readonly atHead: boolean };

/** A log as ingest sees it: what comes behind a state. Throws `audit/gap` and what the event log throws. */
export type Source = {
  readonly log: LogName;
  readonly follow: (behind: LogState, signal: AbortSignal) => AsyncIterable<IncomingBatch>;
};

export type IngestDeps = {
  readonly store: Pick<AuditStore, 'writer'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
};

export type Ingest = {
  /** Resolves when `signal` aborts, or when it has stopped at something that only a person can mend. Never rejects. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly notReady: () => readonly string[];
};

const final: readonly ProblemCode[] = ['audit/gap', 'audit/record-altered', 'event-log/truncated', 'event-log/corrupt'];
const pausesMs = [100, 250, 500, 1_000, 2_000, 5_000];
/** The log beats every second while it answers. */
const silenceMaxMs = 15_000;

export const ingest = ({ store, clock, log, telemetry }: IngestDeps, source: Source): Ingest => {
  let trouble: Problem | undefined;
  let stopped = false;
  let caughtUp = false;
  let heardAt = clock.elapsed();

  const append = async (behind: LogState, incoming: readonly Incoming[]): Promise<LogState> => {
    const entries = incoming.map(({ entry }) => entry);
    const edge = growEdge(
      sha256,
      behind.edge,
      behind.size,
      entries.map(({ leaf }) => leaf),
    );
    const cursors = Object.assign({}, ...incoming.map((one) => one.cursors)) as Cursors;
    const span = {
      attributes: {
        [attributes.log]: source.log,
        [attributes.size]: behind.size,
        [attributes.batchSize]: entries.length,
      },
      kind: 'consumer',
      ...continuing(incoming.map(({ carrier }) => carrier)),
    } as const;
    await telemetry.span(spans.ingest, span, () =>
      store.writer.append({ log: source.log, expected: behind.size, entries, edge, cursors }),
    );
    return { size: behind.size + entries.length, edge, cursors: { ...behind.cursors, ...cursors } };
  };

  const follow = async (signal: AbortSignal, progressed: () => void): Promise<void> => {
    let state = await store.writer.state(source.log);
    for await (const { incoming, atHead } of source.follow(state, signal)) {
      for (const portion of portions(incoming, store.writer.rowsPerAppend)) {
        if (signal.aborted) return;
        state = await append(state, portion);
        // A store in this process is synchronous: others have their turn between two transactions.
        await immediate();
      }
      caughtUp ||= atHead;
      heardAt = clock.elapsed();
      progressed();
    }
  };

  return {
    run: async (signal) => {
      let failures = 0;
      while (!signal.aborted) {
        try {
          await follow(signal, () => {
            trouble = undefined;
            failures = 0;
          });
          // A follower ends only by the signal; one that ends otherwise is asked again, but not in a spin.
          await pause(pausesMs[0], undefined, { signal }).catch(() => {});
        } catch (error) {
          const problem = toProblem(error);
          if (signal.aborted) return;
          trouble = problem;
          stopped = final.includes(problem.code);
          log[stopped ? 'error' : 'warn']({ log: source.log, code: problem.code }, problem.message);
          if (stopped) return;
          const pauseMs = problem.code === 'audit/not-at-head' ? 0 : (pausesMs[failures++] ?? pausesMs.at(-1));
          await pause(pauseMs, undefined, { signal }).catch(() => {});
        }
      }
    },
    notReady: () => {
      if (trouble !== undefined)
        return [
          `audit ingest of ${source.log} ${stopped ? 'has stopped' : 'waits'}: ${trouble.code}: ${trouble.message}`,
        ];
      if (!caughtUp) return [`audit ingest of ${source.log} is catching up with the event log`];
      const silentMs = clock.elapsed() - heardAt;
      return silentMs > silenceMaxMs
        ? [`audit ingest of ${source.log} has not heard from the event log for ${Math.round(silentMs / 1_000)} s`]
        : [];
    },
  };
};

function* portions(incoming: readonly Incoming[], rowsPerAppend: number): Generator<readonly Incoming[]> {
  let portion: Incoming[] = [];
  let rows = 0;
  for (const one of incoming) {
    portion.push(one);
    rows += one.entry.rows.length;
    if (rows < rowsPerAppend) continue;
    yield portion;
    [portion, rows] = [[], 0];
  }
  if (portion.length > 0) yield portion;
}
