/**
 * Everything between the parts of a model run: the log as each proxy hears it, the stream of heartbeats, the authorizer. Whatever is
 * sent lies here until a step of the schedule moves it on: late, never, or to somebody who has crashed meanwhile.
 */
import type { FactBatch } from '@postern/event-log';
import { readHeartbeat } from '@postern/runtime';
import { type Answer, type Heartbeat, Organisation, type Question } from '@postern/schemas';
import { judge } from '../brute-force.ts';
import { applyTo, type History } from './history.ts';

/** A request that is answered in two steps: what the answer says is settled in the first, when it arrives in the second. */
export type Fetch<Batch> = {
  readonly answer: () => void;
  readonly arrive: () => boolean;
  readonly stream: AsyncIterable<Batch>;
};

/** A stream that is fetched batch by batch. `compose` tells what lies behind the place that has been read. */
export const fetched = <Batch>(compose: (at: number) => { batch: Batch; at: number }, from: number): Fetch<Batch> => {
  let at = from;
  let asked: ((batch: IteratorResult<Batch>) => void) | undefined;
  let composed: { batch: Batch; at: number } | undefined;
  const answer = (): void => {
    if (asked !== undefined) composed ??= compose(at);
  };
  return {
    answer,
    arrive: () => {
      if (asked === undefined || composed === undefined) return false;
      const [tell, { batch }] = [asked, composed];
      at = composed.at;
      asked = undefined;
      composed = undefined;
      tell({ value: batch, done: false });
      return true;
    },
    stream: {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise<IteratorResult<Batch>>((resolve) => {
            asked = resolve;
          }),
      }),
    },
  };
};

export const factsBehind =
  ({ entries }: History, most: () => number) =>
  (at: number): { batch: FactBatch; at: number } => {
    const found = entries.slice(at, at + most());
    const reached = at + found.length;
    return { batch: { entries: found, atHead: reached === entries.length, strangers: [] }, at: reached };
  };

type Publishing = { readonly beat: Heartbeat | undefined; stored: boolean; readonly told: (stored: boolean) => void };
export type Heartbeats = {
  readonly stored: readonly (Heartbeat | undefined)[];
  readonly publish: (records: readonly { readonly bytes: Uint8Array }[]) => Promise<void>;
  /** Stores what a number chooses, unless it is of a proxy that is cut off; the publisher does not know yet. */
  readonly store: (which: number) => void;
  /** The publisher learns that it was stored, where it was; else that nobody knows. */
  readonly acknowledge: (which: number) => void;
  readonly fail: (which: number) => void;
  /** Stores whatever has been sent, and tells its publishers, unless acknowledgements to them are slow. */
  readonly storeAll: () => void;
};

export const heartbeats = (
  isCutOff: (instance: string) => boolean,
  isSlow: (instance: string) => boolean,
): Heartbeats => {
  const stored: (Heartbeat | undefined)[] = [];
  const publishing: Publishing[] = [];
  const chosen = (which: number): Publishing | undefined => publishing[which % Math.max(publishing.length, 1)];
  const end = (each: Publishing, acknowledged: boolean): void => {
    publishing.splice(publishing.indexOf(each), 1);
    each.told(acknowledged);
  };
  const store = (each: Publishing): void => {
    if (each.stored || (each.beat !== undefined && isCutOff(each.beat.instance))) return;
    each.stored = true;
    stored.push(each.beat);
  };
  return {
    stored,
    storeAll: () => {
      for (const each of [...publishing]) {
        store(each);
        if (each.stored && !(each.beat !== undefined && isSlow(each.beat.instance))) end(each, true);
      }
    },
    publish: ([record]) =>
      new Promise((resolve, reject) => {
        publishing.push({
          beat: record && readHeartbeat(record.bytes),
          stored: false,
          told: (acknowledged) => (acknowledged ? resolve() : reject(new Error('nobody knows'))),
        });
      }),
    store: (which) => {
      const each = chosen(which);
      if (each !== undefined) store(each);
    },
    acknowledge: (which) => {
      const each = chosen(which);
      if (each?.stored === true) end(each, true);
    },
    fail: (which) => {
      const each = chosen(which);
      if (each !== undefined) end(each, false);
    },
  };
};

export type Authorizer = {
  readonly ask: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly project: (count: number) => void;
  /** Settles an answer: as asked, at least at the sequence that the question names. */
  readonly compute: (which: number) => void;
  /** Settles an answer at whatever this replica has come to, be it too old. */
  readonly computeBehind: (which: number) => void;
  /** An answer arrives; tells whether the log went on meanwhile. */
  readonly deliver: (which: number) => void;
  readonly lose: (which: number) => void;
  /** Questions that lie there are lost; answers that have left still come. */
  readonly restart: () => void;
  readonly asked: () => number;
};

export const authorizer = ({ entries }: History): Authorizer => {
  const projection = new Organisation();
  const laggard = new Organisation();
  type Lying = { readonly question: Question; readonly send: (answer: Answer) => void };
  const lying: Lying[] = [];
  const travelling: { readonly answer: Answer; readonly send: (answer: Answer) => void }[] = [];
  let asked = 0;
  const reach = (organisation: Organisation, sequence: number): void => {
    while (organisation.sequence < Math.min(sequence, entries.length))
      applyTo(organisation, entries[organisation.sequence]);
  };
  const take = <Item>(from: Item[], which: number): Item | undefined =>
    from.splice(which % Math.max(from.length, 1), 1)[0];
  const settle = (from: Organisation, taken: Lying | undefined): void => {
    if (taken === undefined) return;
    const { question, send } = taken;
    travelling.push({ answer: judge(from, question, question.context), send });
  };
  return {
    asked: () => asked,
    ask: (questions) =>
      Promise.all(
        questions.map(
          (question) =>
            new Promise<Answer>((send) => {
              asked++;
              lying.push({ question, send });
            }),
        ),
      ),
    project: (count) => {
      reach(projection, projection.sequence + count);
      reach(laggard, projection.sequence - 2);
    },
    compute: (which) => {
      const taken = take(lying, which);
      reach(projection, taken?.question.atLeast ?? 0);
      settle(projection, taken);
    },
    computeBehind: (which) => {
      reach(laggard, projection.sequence - 2);
      settle(laggard, take(lying, which));
    },
    deliver: (which) => {
      const taken = take(travelling, which);
      taken?.send(taken.answer);
    },
    lose: (which) => take(lying, which)?.send({ outcome: 'unavailable', reason: 'timeout' }),
    restart: () => {
      for (const { send } of lying.splice(0)) send({ outcome: 'unavailable', reason: 'engine-unreachable' });
    },
  };
};
