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
};

export type LiveExchanges = {
  readonly add: (live: Live) => void;
  readonly delete: (live: Live) => void;
  readonly has: (live: Live) => boolean;
  readonly all: () => Iterable<Live>;
  readonly size: () => number;
  readonly touchedBy: (invalidations: readonly Invalidation[]) => Live[];
};

export const liveExchanges = (): LiveExchanges => {
  const live = new Set<Live>();
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
    add: (exchange) => void live.add(exchange),
    delete: (exchange) => void live.delete(exchange),
    has: (exchange) => live.has(exchange),
    all: () => live,
    size: () => live.size,
    touchedBy: (invalidations) =>
      invalidations.length === 0
        ? []
        : [...live].filter((exchange) => invalidations.some((by) => touched(exchange, by))),
  };
};
