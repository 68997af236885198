/** One request on its way up the ladder, and the line that is written down about it. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@postern/runtime';
import type { Answer, DecisionRecord, Endpoint, Match, Objects } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Caller } from '../identify/identity.ts';
import { unmapped } from './address.ts';
import type { Door } from './door.ts';
import type { ReadRequest } from './read.ts';
import type { StepTimes } from './server-timing.ts';

/**
 * It is filled in on its way: every rung adds what it found, in place, and all fields are there from the beginning. A copy a rung would cost
 * more than what the rung does.
 */
export type Passage = {
  readonly id: string;
  readonly door: Door;
  readonly read: ReadRequest;
  readonly trace: string | undefined;
  /** The trace context as it was when the request came in: its decision may be awaited together with others'. */
  readonly carrier: Carrier | undefined;
  caller: Caller | undefined;
  match: Match | undefined;
  /** The operations that the request calls, where several share its method and path; `match.endpoint` is the first. */
  called: readonly [Endpoint, ...Endpoint[]] | undefined;
  /** The body where it had to be judged. */
  body: Buffer | undefined;
  /** The answer tells of tools. */
  lists: boolean;
  /** What is asked besides the endpoint: `employee:42#view`. */
  objects: readonly string[] | undefined;
  /** Which objects an operation names, where the body says so. */
  objectsOf: ((endpoint: Endpoint) => Objects) | undefined;
  country: string | undefined;
  /** Where the caller asks for it. */
  timing: StepTimes | undefined;
  /** What the answer says of limits. */
  rateHeaders: readonly string[] | undefined;
  routesVersion: number;
  /** How often the routes changed under it. */
  attempt: number;
};

export const passageOf = (about: Pick<Passage, 'id' | 'door' | 'read' | 'trace' | 'carrier'>): Passage => ({
  id: about.id,
  door: about.door,
  read: about.read,
  trace: about.trace,
  carrier: about.carrier,
  caller: undefined,
  match: undefined,
  called: undefined,
  body: undefined,
  lists: false,
  objects: undefined,
  objectsOf: undefined,
  country: undefined,
  timing: undefined,
  rateHeaders: undefined,
  routesVersion: 0,
  attempt: 1,
});

/** Ids of decisions: unique without asking anybody, short enough to be read out. */
export const decisionIds = (): (() => string) => {
  const start = randomBytes(6).toString('hex');
  let count = 0;
  return () => `${start}-${(count++).toString(36)}`;
};

/** What is written down of an answer; an absent member is simply undefined, and is not written. */
type Outcome = {
  readonly outcome: DecisionRecord['outcome'];
  readonly reason?: DecisionRecord['reason'] | undefined;
  readonly observed?: DecisionRecord['observed'] | undefined;
  readonly refusedWith?: DecisionRecord['refusedWith'] | undefined;
  readonly sequence?: DecisionRecord['sequence'] | undefined;
  readonly cached?: DecisionRecord['cached'] | undefined;
};
/** A record with every member in its place: what is undefined is left out when it is written. */
export type DecisionLine = { readonly [Member in keyof Required<DecisionRecord>]: DecisionRecord[Member] | undefined };

const pathLengthMax = 2_000;
/** Without the query, which may hold secrets. */
const shortPath = (path: string): string => {
  const query = path.indexOf('?');
  const length = query < 0 ? path.length : query;
  return length === path.length && length <= pathLengthMax ? path : path.slice(0, Math.min(length, pathLengthMax));
};

/** The instant as it is written, made once a millisecond. */
const instants = new WeakMap<Clock, { readonly at: number; readonly text: string }>();
const instantOf = (clock: Clock): string => {
  const at = clock.now();
  const kept = instants.get(clock);
  if (kept?.at === at) return kept.text;
  const text = new Date(at).toISOString();
  instants.set(clock, { at, text });
  return text;
};

export const toRecord = (passage: Passage, clock: Clock, outcome: Outcome): DecisionLine => {
  const { read, caller, match, called } = passage;
  return {
    id: passage.id,
    at: instantOf(clock),
    outcome: outcome.outcome,
    reason: outcome.reason,
    observed: outcome.observed,
    refusedWith: outcome.refusedWith,
    sequence: outcome.sequence,
    cached: outcome.cached,
    principal: caller?.principal,
    credential: caller?.credential,
    actors: caller === undefined || caller.actors.length === 0 ? undefined : [...caller.actors],
    service: match?.service.name,
    endpoint: match?.endpoint.id,
    also: called === undefined || called.length < 2 ? undefined : called.slice(1).map((each) => each.id),
    objects: passage.objects === undefined ? undefined : [...passage.objects],
    scopes: caller?.recorded?.scopes,
    scopesBeyond: caller?.recorded?.scopesBeyond,
    acr: caller?.recorded?.acr,
    amr: caller?.recorded?.amr,
    via: passage.door.kind === 'asked' ? passage.door.via : undefined,
    method: read.method.slice(0, 40),
    path: shortPath(read.path),
    ip: read.ip,
    country: passage.country,
    trace: passage.trace,
    ends: undefined,
  };
};

/** For what could not even be read. */
export const toUnreadableRecord = (
  about: { id: string; method: string; path: string; remoteAddress: string | undefined },
  clock: Clock,
  outcome: Outcome,
): Partial<DecisionLine> => ({
  id: about.id,
  at: instantOf(clock),
  ...outcome,
  method: about.method.slice(0, 40),
  path: shortPath(about.path),
  ...(about.remoteAddress !== undefined && { ip: unmapped(about.remoteAddress) }),
});

/** The part of an answer that is written down. */
export const toOutcome = (answer: Answer, cached: boolean | undefined): Outcome => ({
  outcome: answer.outcome,
  reason: answer.outcome === 'allow' ? undefined : answer.outcome === 'deny' ? answer.reason : 'cannot-decide',
  sequence: answer.outcome === 'unavailable' ? undefined : answer.sequence,
  cached,
});
