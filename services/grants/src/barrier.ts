/**
 * The barrier: when it answers, no proxy anywhere allows by anything older than the sequence asked for. The rule is in the language
 * (schemas: `enforcementHeard`); here is who reads and who waits.
 */
import type { EventLog } from '@postern/event-log';
import { type Clock, readHeartbeat } from '@postern/runtime';
import { type Enforced, enforcementHeard, type Heartbeat, type Sequence } from '@postern/schemas';

export type { Enforced } from '@postern/schemas';

export type Barrier = {
  readonly wait: (sequence: Sequence, timeoutMs: number) => Promise<Enforced>;
  readonly follow: (signal: AbortSignal) => Promise<void>;
};

/** How often the stream is asked whether there is nothing newer: that is when a lease is seen to have run out. */
const lookEveryMs = 100;

export const proxyBarrier = (
  enforcement: Pick<EventLog['enforcement'], 'follow'>,
  clock: Clock,
  onBeats: (beats: readonly Heartbeat[]) => void = () => {},
): Barrier => {
  const heard = enforcementHeard();
  let changed = Promise.withResolvers<void>();

  const pause = async (ms: number): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      changed.promise,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
    ]);
    clearTimeout(timer);
  };

  return {
    wait: async (sequence, timeoutMs) => {
      const deadline = clock.elapsed() + timeoutMs;
      const since = heard.ends();
      for (;;) {
        const verdict = heard.verdict(sequence, since);
        const left = deadline - clock.elapsed();
        if (verdict.outcome === 'enforced' || left <= 0) return verdict;
        await pause(left);
      }
    },
    follow: async (signal) => {
      // A batch is fetched when the one before it has been taken, never earlier.
      let askedAt = clock.elapsed();
      for await (const { records, atEnd } of enforcement.follow({}, { signal, beatMs: lookEveryMs })) {
        const read = records.map(({ bytes }) => {
          const beat = readHeartbeat(bytes);
          return { ...(beat && { beat }) };
        });
        onBeats(read.flatMap(({ beat }) => beat ?? []));
        heard.take({
          records: read,
          atEnd,
          askedAt,
          takenAt: clock.elapsed(),
        });
        changed.resolve();
        changed = Promise.withResolvers();
        askedAt = clock.elapsed();
      }
    },
  };
};
