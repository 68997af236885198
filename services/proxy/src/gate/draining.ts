/**
 * How a gate stops without losing a request: it takes no new connections, answers whatever still comes on open ones and tells each
 * caller that it was the last answer there, waits, and only then cuts.
 */

import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { lastOf } from './door.ts';
import type { LiveExchanges } from './live.ts';

export type Drain = {
  /** Not ready for this long while everything is still served, in ms. */
  readonly delayMs: number;
  /** A connection that has been silent for this long is closed, in ms: its caller is not just about to send. */
  readonly idleMs: number;
  /** How long requests under way may go on, in ms. */
  readonly timeoutMs: number;
};

export type Draining = {
  /** Not ready any more. */
  readonly leaving: () => boolean;
  /** Each answer is the last on its connection. */
  readonly begun: () => boolean;
  /** Resolves when nothing is under way, or the time is over. `alongside` is called when no new connections are to be taken. */
  readonly drain: (server: Server, live: LiveExchanges, alongside: () => void) => Promise<void>;
};

const lookEveryMs = 20;

export const draining = ({ delayMs, idleMs, timeoutMs }: Drain, elapsed: () => number): Draining => {
  let leaving = false;
  let begun = false;
  return {
    leaving: () => leaving,
    begun: () => begun,
    drain: async (server, live, alongside) => {
      leaving = true;
      if (delayMs > 0) await sleep(delayMs);
      begun = true;
      for (const { door } of live.all()) lastOf(door);
      await acceptNoMore(server);
      alongside();
      const begunAt = elapsed();
      while (elapsed() - begunAt < timeoutMs) {
        // Whoever is just sending on an open connection is answered; the caller who has long been silent hangs up or is hung up on.
        if (elapsed() - begunAt >= idleMs) server.closeIdleConnections();
        if (live.size() === 0 && (await openConnections(server)) === 0) return;
        await sleep(lookEveryMs);
      }
    },
  };
};

/** Connections that the kernel has taken are accepted first. node's own close would hang up on callers that are about to send. */
const acceptNoMore = async (server: Server): Promise<void> => {
  await turn();
  NetServer.prototype.close.call(server);
};

const openConnections = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((error, count) => resolve(error === null ? count : 0)));
