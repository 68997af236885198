/**
 * Who enforces what, as the proxies' heartbeats tell it: the pure half of the barrier. See docs/adr/0004-lease-and-barrier.md.
 *
 * Every proxy announces itself before it reads the head that it will serve from, and says in each heartbeat what it enforces and
 * for how long it may serve without another. So after a fact is durable it is enough to (1) read the heartbeats up to any moment
 * after that, and (2) wait until each proxy heard of has reached the fact, has stopped, or has run out of its lease. Whoever announces
 * itself later reads a head that holds the fact.
 *
 * The heartbeats have one order. So the first of them that says it enforces the fact proves (1): it was written when the fact was
 * durable, and everything before it has been read. Nothing has to be asked about the stream's end.
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
  readonly records: readonly { readonly beat?: Heartbeat }[];
  /** There was nothing newer when this was fetched. */
  readonly atEnd: boolean;
  /** Not later than the fetch began. */
  readonly askedAt: number;
  readonly takenAt: number;
};

export type Enforcement = {
  readonly take: (heard: HeardBeats) => void;
  /** How often the stream has said that there is nothing newer. */
  readonly ends: () => number;
  /** `since`: what `ends` said when somebody began to wait, after the fact was durable. */
  readonly verdict: (sequence: Sequence, since: number) => Enforced;
};

/** Clocks of two machines run apart by less than this share; a lease is waited out that much longer. */
const clockDrift = 1.02;
/** A proxy that has been silent for this long is forgotten. */
const forgottenAfterMs = 1_200_000;

type Known = { readonly beat: Heartbeat; readonly heardAt: number };

export const enforcementHeard = (): Enforcement => {
  const known = new Map<string, Known>();
  let ends = 0;
  /** Of any proxy, ever. */
  let enforcedSomewhere = 0;
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
      for (const { beat } of records) {
        if (beat === undefined) continue;
        known.set(beat.instance, { beat, heardAt: takenAt });
        enforcedSomewhere = Math.max(enforcedSomewhere, beat.enforces);
      }
      if (!atEnd) return;
      ends++;
      readUntil = askedAt;
      for (const [instance, { heardAt }] of known) if (readUntil - heardAt > forgottenAfterMs) known.delete(instance);
    },
    ends: () => ends,
    verdict: (sequence, since) => {
      // Where no proxy says so the second "nothing newer" counts, because only the first may have been fetched before the call.
      const read = enforcedSomewhere >= sequence || ends >= since + 2;
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
