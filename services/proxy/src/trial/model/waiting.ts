/** Whoever waits for enforcements, as grants does it: it reads the heartbeats with delays of its own and asks the rule of the language. */
import type { Clock } from '@postern/runtime';
import { enforcementHeard, type Sequence } from '@postern/schemas';
import type { Heartbeats } from './network.ts';

export type Waiting = {
  /** Waits for everything that is in the log now. */
  readonly wait: (head: number) => void;
  readonly answer: () => void;
  readonly arrive: () => void;
};

export type Acknowledge = (sequence: number, lapsed: number) => void;

export const waiting = (beats: Heartbeats, clock: Clock, most: () => number, acknowledge: Acknowledge): Waiting => {
  const heard = enforcementHeard();
  let waits: { readonly sequence: Sequence; readonly since: number }[] = [];
  let position = 0;
  let askedAt = clock.elapsed();
  let composedTo: number | undefined;
  let atEnd = false;
  const look = (): void => {
    waits = waits.filter(({ sequence, since }) => {
      const verdict = heard.verdict(sequence, since);
      if (verdict.outcome === 'enforced') acknowledge(sequence, verdict.lapsed.length);
      return verdict.outcome !== 'enforced';
    });
  };
  return {
    wait: (head) => {
      waits.push({ sequence: head as Sequence, since: heard.ends() });
      look();
    },
    answer: () => {
      if (composedTo !== undefined) return;
      composedTo = Math.min(beats.stored.length, position + most());
      atEnd = composedTo === beats.stored.length;
    },
    arrive: () => {
      if (composedTo === undefined) return;
      const records = beats.stored.slice(position, composedTo).map((beat) => ({ ...(beat && { beat }) }));
      position = composedTo;
      composedTo = undefined;
      heard.take({ records, atEnd, askedAt, takenAt: clock.elapsed() });
      askedAt = clock.elapsed();
      look();
    },
  };
};
