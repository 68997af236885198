/** The process's own view of the end of the facts topic: how far admission has come, and whether what we wrote was let in. */
import { isProblem, type LoggedFact, logStart, Problem, type Sequence } from '@postern/schemas';
import { admitting, type Place } from './admitting.ts';
import { logClosed, within } from './control.ts';
import type { KafkaSettings } from './settings.ts';

export type Tail = Disposable & {
  /** Resolves with the head once everything before `offset` has been looked at; rejects when `signal` aborts first. */
  readonly reached: (offset: number, signal: AbortSignal) => Promise<Sequence>;
  readonly head: () => Sequence;
  /** Tells afterwards whether all of `entries` were admitted since. */
  readonly watch: (entries: readonly LoggedFact[]) => Disposable & { readonly admitted: () => boolean };
  /** A place at or before `after` from which a reader can go on; the log's beginning where the tail has not come that far. */
  readonly placeBefore: (after: Sequence) => Place;
};

const beginning: Place = { offset: 0, at: logStart };
const factsPerLandmark = 1_024;
const waitMs = 1_000;

/** Begins to read when it is first asked. */
export const tail = (settings: KafkaSettings, topic: string): Tail => {
  const end = new AbortController();
  const landmarks: Place[] = [beginning];
  const watched = new Map<string, { readonly sequence: Sequence; seen: boolean }>();
  let place = beginning;
  let broken: Problem | undefined;
  let waiting: { readonly offset: number; readonly done: () => void; readonly failed: (reason: unknown) => void }[] =
    [];
  let begun = false;

  const fail = (problem: Problem): void => {
    broken = problem;
    for (const { failed } of waiting) failed(problem);
    waiting = [];
  };

  const run = async (): Promise<void> => {
    try {
      for await (const batch of admitting(beginning, { settings, topic, waitMs, unread: true, signal: end.signal })) {
        for (const { envelope, sequence } of batch.entries) {
          const watch = watched.get(envelope.id);
          if (watch?.sequence === sequence) watch.seen = true;
        }
        place = batch.place;
        if (place.at.head - (landmarks.at(-1)?.at.head ?? 0) >= factsPerLandmark) landmarks.push(place);
        const reached = waiting.filter(({ offset }) => offset <= place.offset);
        waiting = waiting.filter(({ offset }) => offset > place.offset);
        for (const { done } of reached) done();
      }
      fail(logClosed());
    } catch (error) {
      fail(isProblem(error) ? error : new Problem('event-log/unreachable', { cause: error }));
    }
  };

  return {
    head: () => place.at.head,
    reached: async (offset, signal) => {
      if (!begun) void run();
      begun = true;
      if (broken !== undefined) throw broken;
      if (offset > place.offset)
        await within(
          signal,
          new Promise<void>((done, failed) => {
            waiting.push({ offset, done, failed });
          }),
        );
      return place.at.head;
    },
    watch: (entries) => {
      const own = entries.map(({ envelope, sequence }) => {
        const watch = { sequence, seen: false };
        watched.set(envelope.id, watch);
        return { id: envelope.id, watch };
      });
      return {
        admitted: () => own.every(({ watch }) => watch.seen),
        [Symbol.dispose]: () => {
          for (const { id } of own) watched.delete(id);
        },
      };
    },
    placeBefore: (after) => landmarks.findLast(({ at }) => at.head <= after) ?? beginning,
    [Symbol.dispose]: () => end.abort(),
  };
};
