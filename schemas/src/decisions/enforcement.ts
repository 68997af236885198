/**
 * Who enforces what, as the proxies' heartbeats tell it: the pure half of the barrier. See docs/adr/0004-lease-and-barrier.md.
 *
 * Every proxy announces itself before it reads the head that it will serve from, and says in each heartbeat what it enforces and
 * for how long it may serve without another. So after a fact is durable it is enough to (1) read the heartbeats to their present
 * end, and (2) wait until each proxy heard of has reached the fact, has stopped, or has run out of its lease.
 *
 * All instants are monotonic milliseconds of the one reader.
 */
import type { Sequence } from '../ids.ts';
import type { Heartbeat } from './decision.ts';

export type Enforced =
  | { readonly outcome: 'enforced'; readonly proxies: number; readonly lapsed: readonly string[] }
  | { readonly outcome: 'not-yet'; readonly waitingFor: readonly string[] };

/** What one fetch of the heartbeats' stream brought. */
export type HeardBeats = {
  /** In the order of the stream; `beat` is absent where the record could not be read. */
  readonly records: readonly { readonly partition: string; readonly offset: number; readonly beat?: Heartbeat }[];
  /** There was nothing newer when this was fetched. */
  readonly atEnd: boolean;
  /** Not later than the fetch began. */
  readonly askedAt: number;
  readonly takenAt: number;
};

/** The moment in which somebody began to wait, after the fact was durable. */
export type WaitingSince = {
  /** Where the stream ended then, or later: partition → next offset. */
  readonly end: Readonly<Record<string, number>>;
  /** How often it had said that there is nothing newer. */
  readonly ends: number;
};

export type Enforcement = {
  readonly take: (heard: HeardBeats) => void;
  /** How often the stream has said that there is nothing newer. */
  readonly ends: () => number;
  readonly verdict: (sequence: Sequence, since: WaitingSince) => Enforced;
};

/** Clocks of two machines run apart by less than this share; a lease is waited out that much longer. */
const clockDrift = 1.02;
/** A proxy that has been silent for this long is forgotten. */
const forgottenAfterMs = 1_200_000;

type Known = { readonly beat: Heartbeat; readonly heardAt: number };

export const enforcementHeard = (): Enforcement => {
  const known = new Map<string, Known>();
  const position: Record<string, number> = {};
  let ends = 0;
  /** Everything that was published before this instant has been read. */
  let readUntil = Number.NEGATIVE_INFINITY;

  /**
   * Silence is what the stream says, not what has not been read yet: a reader that is cut off from the stream hears nobody, and the
   * proxies go on beating.
   */
  const hasLapsed = ({ beat, heardAt }: Known): boolean => readUntil - heardAt >= beat.leaseMs * clockDrift;
  const isDone = (each: Known, sequence: Sequence): boolean =>
    each.beat.state === 'stopped' || each.beat.enforces >= sequence || hasLapsed(each);

  return {
    take: ({ records, atEnd, askedAt, takenAt }) => {
      for (const { partition, offset, beat } of records) {
        position[partition] = offset + 1;
        if (beat !== undefined) known.set(beat.instance, { beat, heardAt: takenAt });
      }
      if (!atEnd) return;
      ends++;
      readUntil = askedAt;
      for (const [instance, { heardAt }] of known) if (readUntil - heardAt > forgottenAfterMs) known.delete(instance);
    },
    ends: () => ends,
    verdict: (sequence, since) => {
      // Heartbeats age out, so the offsets before the end may hold nothing any more: then the second "nothing newer" counts, because
      // only the first may have been fetched before the call.
      const read =
        ends >= since.ends + 2 ||
        Object.entries(since.end).every(([partition, offset]) => (position[partition] ?? 0) >= offset);
      if (!read) return { outcome: 'not-yet', waitingFor: ['the enforcement stream'] };
      const all = [...known.values()];
      const waitingFor = all.filter((each) => !isDone(each, sequence)).map(({ beat }) => beat.instance);
      if (waitingFor.length > 0) return { outcome: 'not-yet', waitingFor };
      const behind = all.filter(({ beat }) => beat.state !== 'stopped' && beat.enforces < sequence);
      const serving = all.filter(({ beat }) => beat.state === 'serving' && beat.enforces >= sequence);
      return { outcome: 'enforced', proxies: serving.length, lapsed: behind.map(({ beat }) => beat.instance) };
    },
  };
};
