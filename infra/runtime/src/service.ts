/** A room as the runtime sees it: something that starts, is ready or says why not, drains and stops. */
import type { FastifyInstance } from 'fastify';

export type Service = {
  readonly name: string;
  /** Resolves once the service's background work has begun; rejects when it cannot begin. */
  readonly start: () => Promise<void>;
  /** What is not ready, each in one sentence; empty when all is well. */
  readonly notReady: () => readonly string[];
  /** Its HTTP API, where it has one. */
  readonly http?: FastifyInstance;
  /** Stops taking work, finishes what is begun, lets go. Never rejects. */
  readonly stop: () => Promise<void>;
};
