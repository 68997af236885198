/** A service as the runtime sees it: something that starts, is ready or says why not, drains and stops. */
import type { FastifyInstance } from 'fastify';

export type Service = {
  readonly name: string;
  /** Resolves once the service's background work has begun; rejects when it cannot begin. */
  readonly start: () => Promise<void>;
  /** What is not ready, each in one sentence; empty when all is well. */
  readonly notReady: () => readonly string[];
  /** What lets more through than the model says, and until when: shown wherever the service's state is. */
  readonly observing?: () => readonly { readonly service: string; readonly until: string }[];
  /** What somebody has to look at, though all is well: shown beside readiness. */
  readonly watched?: () => readonly { readonly what: string; readonly since: string }[];
  /** Where requests are passed on to, and which of these places get none: shown beside the state. */
  readonly targets?: () => readonly {
    readonly service: string;
    readonly target: string;
    readonly standing: 'in' | 'trying' | 'out';
    readonly why?: string;
    /** Requests under way there. */
    readonly underWay: number;
  }[];
  /** Metrics of other processes that are part of this service. */
  readonly snapshots?: () => Promise<readonly unknown[]>;
  /** Stops taking work, finishes what is begun, lets go. Never rejects. */
  readonly stop: () => Promise<void>;
};

/** A service with an HTTP API of its own, guarded by the gate's assertion. */
export type Room = Service & { readonly http: FastifyInstance };
