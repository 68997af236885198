/**
 * The barrier: when it answers, no proxy anywhere allows by anything older than the sequence asked for.
 *
 * Every proxy announces itself before it reads the head that it will serve from, and says in each heartbeat what it enforces and
 * for how long it may serve without another. So after a fact is durable it is enough to (1) read the heartbeats to their present
 * end, and (2) wait until each proxy heard of has reached the fact, has stopped, or has run out of its lease: a proxy that
 * announces itself later reads a head that includes the fact. See docs/adr/0004-lease-and-barrier.md.
 */
import type { EventLog } from '@postern/event-log';
import { type Clock, readHeartbeat } from '@postern/runtime';
import type { Heartbeat, Sequence } from '@postern/schemas';

export type Enforced =
  | { readonly outcome: 'enforced'; readonly proxies: number; readonly lapsed: readonly string[] }
  | { readonly outcome: 'not-yet'; readonly waitingFor: readonly string[] };

export type Barrier = {
  readonly wait: (sequence: Sequence, timeoutMs: number) => Promise<Enforced>;
  readonly follow: (signal: AbortSignal) => Promise<void>;
};

/** Clocks of two machines run apart by less than this share; a lease is waited out that much longer. */
const clockDrift = 1.02;
/** A proxy that has been silent for this long is forgotten. */
const forgottenAfterMs = 1_200_000;

type Known = { readonly beat: Heartbeat; readonly heardAt: number };

export const proxyBarrier = (enforcement: EventLog['enforcement'], clock: Clock): Barrier => {
  const known = new Map<string, Known>();
  let position: Readonly<Record<string, number>> = {};
  let changed = Promise.withResolvers<void>();
  /** How often the stream has said that there is nothing newer. */
  let ends = 0;

  const isBehind =
    (sequence: Sequence) =>
    ({ beat, heardAt }: Known): boolean =>
      beat.state !== 'stopped' && beat.enforces < sequence && clock.elapsed() - heardAt < beat.leaseMs * clockDrift;
  const hasLapsed = ({ beat, heardAt }: Known): boolean =>
    beat.state !== 'stopped' && clock.elapsed() - heardAt >= beat.leaseMs * clockDrift;

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
      const end = await enforcement.end();
      const endsBefore = ends;
      for (;;) {
        // Heartbeats age out, so the offsets before the end may hold nothing any more: then the second "nothing newer" counts, because
        // only the first may have been fetched before the call.
        const read =
          ends >= endsBefore + 2 ||
          Object.entries(end).every(([partition, offset]) => (position[partition] ?? 0) >= offset);
        const behind = [...known.values()].filter(isBehind(sequence));
        if (read && behind.length === 0) {
          const lapsed = [...known.values()].filter((each) => hasLapsed(each) && each.beat.enforces < sequence);
          const serving = [...known.values()].filter(
            ({ beat }) => beat.state === 'serving' && beat.enforces >= sequence,
          );
          return { outcome: 'enforced', proxies: serving.length, lapsed: lapsed.map(({ beat }) => beat.instance) };
        }
        const left = deadline - clock.elapsed();
        if (left <= 0)
          return {
            outcome: 'not-yet',
            waitingFor: read ? behind.map(({ beat }) => beat.instance) : ['the enforcement stream'],
          };
        await pause(Math.min(left, 50));
      }
    },
    follow: async (signal) => {
      for await (const { records, atEnd } of enforcement.follow({}, { signal })) {
        if (atEnd) ends++;
        for (const { partition, offset, bytes } of records) {
          position = { ...position, [partition]: offset + 1 };
          const beat = readHeartbeat(bytes);
          if (beat) known.set(beat.instance, { beat, heardAt: clock.elapsed() });
        }
        if (records.length > 0) {
          changed.resolve();
          changed = Promise.withResolvers();
        }
        for (const [instance, { heardAt }] of known)
          if (clock.elapsed() - heardAt > forgottenAfterMs) known.delete(instance);
      }
    },
  };
};
