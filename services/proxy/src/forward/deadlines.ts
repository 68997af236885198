/**
 * The limits of exchanges under way, looked at ten times a second: one clock for all of them. A timer for each request would cost more
 * than the rest of its bookkeeping; so each limit may be overrun by one look.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ExchangeTimeouts } from './target.ts';

/**
 * What an exchange waits for. `request`: the rest of the caller's request, on its way through. `answer`: the first byte of the API's.
 * `more`: the rest of that. `frames`: anything, either way, on a WebSocket.
 */
export type Pace = {
  waitsFor: 'request' | 'answer' | 'more' | 'frames';
  /** Something has moved since the last look. */
  moved: boolean;
  /** Monotonic ms: since when nothing has, or since when it waits for something else. */
  quietSince: number;
  /** Octets on the caller's connection, both ways, at the last look. */
  octets: number;
};

/** `slow-caller`: its request did not come. `slow-api`: everything else. */
export type Overdue = 'slow-caller' | 'slow-api';

export type Timed = Pace & {
  /** Monotonic ms. */
  readonly since: number;
  readonly timeouts: ExchangeTimeouts;
  readonly door: { readonly kind: 'request' | 'upgrade'; readonly req: IncomingMessage };
};

/** Why it has to end now, or undefined. To be called at every look. */
export const overdue = (exchange: Timed, now: number): Overdue | undefined => {
  const { timeouts, door } = exchange;
  const { req } = door;
  if (exchange.waitsFor === 'request') {
    if (req.complete) wait(exchange, 'answer', now);
    else if (octetsOf(req.socket) !== exchange.octets) note(exchange, octetsOf(req.socket), now);
  } else if (exchange.waitsFor === 'frames') {
    if (octetsOf(req.socket) !== exchange.octets) note(exchange, octetsOf(req.socket), now);
  }
  if (exchange.moved) note(exchange, exchange.octets, now);
  if (door.kind === 'request' && timeouts.totalMs !== undefined && now - exchange.since > timeouts.totalMs)
    return 'slow-api';
  const quiet = now - exchange.quietSince;
  switch (exchange.waitsFor) {
    case 'request':
      // What was read and waits here is not taken by the API; otherwise nothing comes.
      return quiet <= timeouts.idleMs ? undefined : req.readableLength > 0 ? 'slow-api' : 'slow-caller';
    case 'answer':
      return quiet > timeouts.firstByteMs ? 'slow-api' : undefined;
    case 'more':
      return quiet > timeouts.idleMs ? 'slow-api' : undefined;
    case 'frames':
      return quiet > timeouts.websocketIdleMs ? 'slow-api' : undefined;
  }
};

/** From now on it waits for something else. */
export const wait = (pace: Pace, waitsFor: Pace['waitsFor'], now: number): void => {
  pace.waitsFor = waitsFor;
  pace.quietSince = now;
};

const note = (exchange: Timed, octets: number, now: number): void => {
  exchange.octets = octets;
  exchange.moved = false;
  exchange.quietSince = now;
};

const octetsOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten;
