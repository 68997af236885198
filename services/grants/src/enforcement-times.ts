/**
 * How long the last changes that took access away needed until each proxy said that it enforces them. Heard here, so an upper bound: it
 * holds the way of the heartbeat. Kept in memory alone; the record says of each change when all had it (`enforcement.reached`).
 */
import type { Clock } from '@postern/runtime';
import { type Fact, type Heartbeat, type Sequence, takesAway } from '@postern/schemas';

export type ProxyShown = {
  readonly instance: string;
  readonly state: Heartbeat['state'] | 'lapsed';
  readonly enforces: number;
  readonly leaseMs: number;
  /** How long ago it was heard, in ms. */
  readonly heardMsAgo: number;
};
export type TakenAway = {
  readonly sequence: number;
  readonly type: Fact['type'];
  readonly subject?: string;
  /** RFC 3339: when it was recorded. */
  readonly recorded: string;
  /** Proxy → ms from the recording until it was heard to enforce it. */
  readonly reached: Readonly<Record<string, number>>;
  /** Live proxies that have not said so yet. */
  readonly waitingFor: readonly string[];
};
export type EnforcementShown = { readonly proxies: readonly ProxyShown[]; readonly takenAway: readonly TakenAway[] };

export type EnforcementTimes = {
  readonly heard: (beats: readonly Heartbeat[]) => void;
  readonly observe: (facts: readonly Fact[]) => void;
  readonly shown: () => EnforcementShown;
};

const changesKept = 100;
const forgottenAfterMs = 1_200_000;

type Known = { readonly beat: Heartbeat; readonly at: number; readonly wall: number };
type Change = Omit<TakenAway, 'reached' | 'waitingFor'> & { readonly reached: Map<string, number> };

export const enforcementTimes = (clock: Clock): EnforcementTimes => {
  const known = new Map<string, Known>();
  const changes: Change[] = [];

  const note = (change: Change, { beat: { instance, enforces, state }, wall }: Known): void => {
    if (state !== 'serving' || enforces < change.sequence || change.reached.has(instance)) return;
    change.reached.set(instance, Math.max(0, Math.round(wall - Date.parse(change.recorded))));
  };
  const hasLapsed = ({ beat, at }: Known): boolean => clock.elapsed() - at > beat.leaseMs;

  return {
    heard: (beats) => {
      for (const beat of beats) {
        const now = { beat, at: clock.elapsed(), wall: clock.now() };
        known.set(beat.instance, now);
        for (const change of changes) note(change, now);
      }
      for (const [instance, { at }] of known) if (clock.elapsed() - at > forgottenAfterMs) known.delete(instance);
    },
    observe: (facts) => {
      for (const fact of facts) {
        if (!takesAway.has(fact.type)) continue;
        const change: Change = {
          sequence: Number(fact.sequence) as Sequence,
          type: fact.type,
          ...(fact.subject !== undefined && { subject: fact.subject }),
          recorded: fact.recordedtime,
          reached: new Map(),
        };
        changes.push(change);
        // A proxy may have been faster than this room.
        for (const each of known.values()) note(change, each);
      }
      changes.splice(0, Math.max(0, changes.length - changesKept));
    },
    shown: () => ({
      proxies: [...known.values()]
        .map((each) => ({
          instance: each.beat.instance,
          state: each.beat.state !== 'stopped' && hasLapsed(each) ? ('lapsed' as const) : each.beat.state,
          enforces: each.beat.enforces,
          leaseMs: each.beat.leaseMs,
          heardMsAgo: Math.round(clock.elapsed() - each.at),
        }))
        .sort((a, b) => (a.instance < b.instance ? -1 : 1)),
      takenAway: changes
        .map(({ reached, ...change }) => ({
          ...change,
          reached: Object.fromEntries(reached),
          waitingFor: [...known.values()]
            .filter((each) => each.beat.state === 'serving' && !hasLapsed(each) && !reached.has(each.beat.instance))
            .map(({ beat }) => beat.instance),
        }))
        .reverse(),
    }),
  };
};
