/** One request on its way up the ladder, and the line that is written down about it. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@postern/runtime';
import type { Answer, DecisionRecord, Endpoint, Match, Objects } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Caller } from '../identify/identity.ts';
import { unmapped } from './address.ts';
import type { Door } from './door.ts';
import type { ReadRequest } from './read.ts';

export type Passage = {
  readonly id: string;
  readonly door: Door;
  readonly read: ReadRequest;
  readonly trace?: string;
  /** The trace context as it was when the request came in: its decision may be awaited together with others'. */
  readonly carrier?: Carrier;
  readonly caller?: Caller;
  readonly match?: Match;
  /** The operations that the request calls, where several share its method and path; `match.endpoint` is the first. */
  readonly called?: readonly [Endpoint, ...Endpoint[]];
  /** The body where it had to be judged. */
  readonly body?: Buffer;
  /** The answer tells of tools. */
  readonly lists?: boolean;
  /** What is asked besides the endpoint: `employee:42#view`. */
  readonly objects?: readonly string[];
  /** Which objects an operation names, where the body says so. */
  readonly objectsOf?: (endpoint: Endpoint) => Objects;
  readonly country?: string;
  readonly routesVersion: number;
  /** How often the routes changed under it. */
  readonly attempt: number;
};

/** Ids of decisions: unique without asking anybody, short enough to be read out. */
export const decisionIds = (): (() => string) => {
  const start = randomBytes(6).toString('hex');
  let count = 0;
  return () => `${start}-${(count++).toString(36)}`;
};

type Outcome = Pick<DecisionRecord, 'outcome' | 'reason' | 'observed' | 'refusedWith' | 'sequence' | 'cached'>;

const pathLengthMax = 2_000;
/** Without the query, which may hold secrets. */
const shortPath = (path: string): string => (path.split('?', 1)[0] ?? '').slice(0, pathLengthMax);

export const toRecord = (passage: Passage, clock: Clock, outcome: Outcome): DecisionRecord => {
  const { id, read, caller, match, called, objects, country, trace } = passage;
  return {
    id,
    at: new Date(clock.now()).toISOString(),
    ...outcome,
    ...(caller !== undefined && { principal: caller.principal }),
    ...(caller?.credential !== undefined && { credential: caller.credential }),
    ...(caller !== undefined && caller.actors.length > 0 && { actors: [...caller.actors] }),
    ...(match !== undefined && { service: match.service.name, endpoint: match.endpoint.id }),
    ...(called !== undefined && called.length > 1 && { also: called.slice(1).map((each) => each.id) }),
    ...(objects !== undefined && { objects: [...objects] }),
    method: read.method.slice(0, 40),
    path: shortPath(read.path),
    ...(read.ip !== undefined && { ip: read.ip }),
    ...(country !== undefined && { country }),
    ...(trace !== undefined && { trace }),
  };
};

/** For what could not even be read. */
export const toUnreadableRecord = (
  about: { id: string; method: string; path: string; remoteAddress: string | undefined },
  clock: Clock,
  outcome: Outcome,
): DecisionRecord => ({
  id: about.id,
  at: new Date(clock.now()).toISOString(),
  ...outcome,
  method: about.method.slice(0, 40),
  path: shortPath(about.path),
  ...(about.remoteAddress !== undefined && { ip: unmapped(about.remoteAddress) }),
});

/** The part of an answer that is written down. */
export const toOutcome = (answer: Answer, cached: boolean | undefined): Outcome => ({
  outcome: answer.outcome,
  ...(answer.outcome === 'deny' && { reason: answer.reason }),
  ...(answer.outcome === 'unavailable' && { reason: 'cannot-decide' as const }),
  ...(answer.outcome !== 'unavailable' && { sequence: answer.sequence }),
  ...(cached !== undefined && { cached }),
});
