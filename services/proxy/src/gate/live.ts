/** Exchanges under way, each with what its decision rests on: when a fact touches that, it is decided anew, and cut if refused. */
import type { ContextField, Endpoint, Objects } from '@postern/schemas';
import type { Invalidation } from '../decide/invalidation.ts';
import type { Timed } from '../forward/deadlines.ts';
import type { Cut } from '../forward/forwarding.ts';
import type { Caller } from '../identify/identity.ts';
import type { Door } from './door.ts';

export type Live = Timed & {
  readonly door: Door;
  /** The decision that let it pass. */
  readonly decision: string;
  readonly caller: Caller | undefined;
  readonly service: string;
  readonly endpoint: string;
  /** What else the request called: all of it has to stay allowed. */
  readonly also: readonly string[];
  /** Which objects an operation names: its body is known no more. */
  readonly objectsOf: ((endpoint: Endpoint) => Objects) | undefined;
  readonly method: string;
  readonly path: string;
  readonly ip: string | undefined;
  /** Of its present decision: one that is decided anew may depend on what the first did not. */
  dependsOn: readonly ContextField[];
  /** It goes on only because its service is observed: looked at again and again, because no fact tells when that ends. */
  observed: boolean;
  readonly cut: Cut;
  /** Where it stands among the others; kept by {@link liveExchanges} alone. */
  place: number;
};
/** Not among them, or not yet. */
export const nowhere = -1;

export type LiveExchanges = {
  readonly add: (live: Live) => void;
  readonly delete: (live: Live) => void;
  readonly has: (live: Live) => boolean;
  /** A copy: any of them may end while it is gone through. */
  readonly all: () => readonly Live[];
  readonly size: () => number;
  readonly touchedBy: (invalidations: readonly Invalidation[]) => Live[];
};

/**
 * An array whose gaps are filled from its end. A Set makes itself a new table every few additions, and the tables it leaves behind, once
 * they are old, keep every exchange that stood in them from the quick collections: a third of the gate's time went there.
 */
export const liveExchanges = (): LiveExchanges => {
  const live: Live[] = [];
  const touched = (exchange: Live, by: Invalidation): boolean => {
    switch (by.kind) {
      case 'epoch':
        return true;
      case 'endpoint':
        return exchange.endpoint === by.endpoint || exchange.also.includes(by.endpoint);
      case 'subject':
        return exchange.caller?.subjects.some((subject) => subject === by.subject) ?? false;
    }
  };
  return {
    add: (exchange) => {
      exchange.place = live.push(exchange) - 1;
    },
    delete: (exchange) => {
      const { place } = exchange;
      if (place === nowhere) return;
      const last = live.pop();
      exchange.place = nowhere;
      if (last === undefined || last === exchange) return;
      live[place] = last;
      last.place = place;
    },
    has: ({ place }) => place !== nowhere,
    all: () => [...live],
    size: () => live.length,
    touchedBy: (invalidations) =>
      invalidations.length === 0 ? [] : live.filter((exchange) => invalidations.some((by) => touched(exchange, by))),
  };
};
