/** What the audit room tells of itself: who read, when recording began and ended, and when it did not keep up. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import type { Clock, Logger } from '@postern/runtime';
import type { FactDraft } from '@postern/schemas';
import { ownFact, ownFacts } from './appending.ts';
import { type Readings, readings, usualReadings } from './readings.ts';

export type KeepingConfig = {
  readonly instance: string;
  readonly togetherMs?: number;
  readonly waitingMax?: number;
  readonly lookEveryMs?: number;
  /** Recording that has not kept up for so long is told of. */
  readonly degradedAfterMs?: number;
};

export type Keeping = {
  readonly readings: Readings;
  readonly run: (signal: AbortSignal, trouble: () => readonly string[]) => Promise<void>;
  /** Writes what waits, and that recording ends; gives up where the log is away. */
  readonly end: () => Promise<void>;
};

export type KeepingDeps = {
  readonly facts: Pick<EventLog['facts'], 'head' | 'append'>;
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly log: Logger;
};

/** The end does not wait longer for a log that is away. */
const endMs = 2_000;

export const keeping = ({ facts, store, clock, log }: KeepingDeps, config: KeepingConfig): Keeping => {
  const { instance, lookEveryMs = 250, degradedAfterMs = 30_000 } = config;
  const own = ownFacts(facts, store.reader);
  const noted = readings({ facts: own, clock, log }, { ...usualReadings, ...config });
  const outbox: FactDraft[] = [];
  let begun = false;
  let since: { readonly elapsed: number; readonly at: string; told?: readonly string[] } | undefined;

  const sizes = async () => ({
    facts: (await store.writer.state('facts')).size,
    decisions: (await store.writer.state('decisions')).size,
  });
  const say = async (): Promise<void> => {
    for (let next = outbox[0]; next !== undefined; next = outbox[0]) {
      await own.append([next]);
      outbox.shift();
    }
  };
  const watch = (trouble: readonly string[]): void => {
    const at = new Date(clock.now()).toISOString();
    if (trouble.length === 0) {
      if (since?.told !== undefined)
        outbox.push(
          ownFact(clock, 'postern.logging.degraded.v1', { instance, since: since.at, until: at, why: [...since.told] }),
        );
      since = undefined;
      return;
    }
    since ??= { elapsed: clock.elapsed(), at };
    if (since.told !== undefined || clock.elapsed() - since.elapsed < degradedAfterMs) return;
    since.told = trouble.slice(0, 10).map((why) => why.slice(0, 500));
    outbox.push(ownFact(clock, 'postern.logging.degraded.v1', { instance, since: since.at, why: [...since.told] }));
  };

  return {
    readings: noted,
    run: async (signal, trouble) => {
      for (; !signal.aborted; await pause(lookEveryMs, undefined, { signal }).catch(() => {})) {
        try {
          // A log that nobody has written to yet says nothing to record.
          if (!begun && (await facts.head()) > 0) {
            outbox.push(ownFact(clock, 'postern.logging.started.v1', { ...(await sizes()), instance }));
            begun = true;
          }
          watch(trouble());
          await say();
        } catch (error) {
          log.debug({ err: error }, 'what the record tells of itself cannot be written now');
        }
        await noted.flush();
      }
    },
    end: async () => {
      const write = async (): Promise<void> => {
        await noted.flush(true);
        if (begun) outbox.push(ownFact(clock, 'postern.logging.stopped.v1', { ...(await sizes()), instance }));
        await say();
        // Taken in before the room closes, so that what is signed last covers it; otherwise the next start does it.
        const head = await facts.head();
        for (let look = 0; look < endMs / 10 && (await sizes()).facts < head; look++) await pause(10);
      };
      const written = write().catch((error: unknown) =>
        log.warn({ err: error }, 'the end of recording was not recorded'),
      );
      await Promise.race([written, pause(endMs, undefined, { ref: false })]);
    },
  };
};
