/**
 * The whole way of a request, whichever door it came in by. Each rung lets it up or answers for good:
 *
 *   rung       asks                                    may answer
 *   ─────────  ──────────────────────────────────────  ────────────────────────────────────────────────────────────────────
 *   read       can it be read in one way only?         400 proxy/ambiguous-request      405 proxy/method-not-supported
 *   stand      may this gate answer at all now?        503 proxy/not-ready  proxy/stale  proxy/cannot-decide  proxy/recording-full
 *   identify   who calls?                              400 proxy/two-credentials  401 proxy/bad-credential  503 proxy/cannot-decide
 *   match      which endpoint is it?                   403 proxy/denied         (401 proxy/no-credential without a credential)
 *   inspect    which of the operations there is it?    400 proxy/unclear-operation  413 proxy/body-too-large  403 proxy/denied
 *   decide     may they call it, here and now?         403 proxy/denied  401 proxy/no-credential  503 proxy/cannot-decide
 *   record     is it written down?                     503 proxy/recording-full
 *   limit      not too often?                          429 proxy/rate-limited
 *   vouch      for a gateway that asks                  its own answer: 200, with our word to the API (../authorize/)
 *   forward    to the API, as it was read              400 proxy/ambiguous-request (no protocol switch there)  413 proxy/body-too-large
 *                                                      503 proxy/no-upstream  408 proxy/request-timeout
 *                                                      502 proxy/upstream-unreachable  504 proxy/upstream-timeout  the API's own answer
 *
 * From the comparison of an answer with what is known to the forwarding nothing is awaited, so no fact can come between.
 */

import type { Clock, CountryOf, Logger } from '@postern/runtime';
import { type Answer, type Endpoint, type Match, type Organisation, objectsOf, objectText } from '@postern/schemas';
import { attributes, spans, type Telemetry } from '@postern/telemetry';
import type { DecideAll, DenyReason } from '../decide/decide-all.ts';
import type { Decider } from '../decide/decider.ts';
import type { Lease } from '../decide/lease.ts';
import type { Identify } from '../identify/identify.ts';
import { type Identity, identityHolds, lacksScopes } from '../identify/identity.ts';
import type { NeededRoles } from '../needed.ts';
import type { Recorder } from '../record.ts';
import { recordingRefused, toRefusal } from '../refusal.ts';
import { contexts } from './context.ts';
import { answer, type Door, switchesProtocol } from './door.ts';
import type { GateMetrics } from './metrics.ts';
import type { ObservedReason, Observing } from './observing.ts';
import { endpointsOf, type FindOperations, type FoundOperations, objectsNamed, refusedFirst } from './operations.ts';
import { type Passage, passageOf, toOutcome } from './passage.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Reader } from './read.ts';
import { type RefusalText, refusals, type Unparsed } from './refusals.ts';
import type { Routes } from './routes.ts';
import { stepTimes } from './server-timing.ts';
import { type Standing, unfit } from './standing.ts';

export type LadderDeps = {
  readonly read: Reader;
  readonly identify: Identify;
  readonly routes: Routes;
  readonly decide: Decider;
  readonly decideAll: DecideAll;
  readonly operations: FindOperations;
  readonly lease: Lease;
  readonly standing: Standing;
  readonly organisation: Organisation;
  readonly recorder: Recorder;
  readonly needed: NeededRoles;
  readonly nextId: () => string;
  /** The last rung. It answers in every case. */
  readonly forward: (
    passage: Passage,
    allowed: Extract<Answer, { outcome: 'allow' }>,
    cached: boolean | undefined,
    observed?: ObservedReason,
  ) => void;
  readonly observing: Pick<Observing, 'passes'>;
  readonly limits: Pick<RateLimits, 'take'>;
  /** Some service tells in every answer how long each step took. */
  readonly alwaysTimed: () => boolean;
  readonly countryOf?: CountryOf | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly metrics: GateMetrics;
  readonly log: Logger;
};

/** The request has its answer, or gets it from a rung further up. */
type Answered = ReturnType<typeof answer>;
/** Routes that change this often under one request leave it undecided. */
const attemptsMax = 5;
export type Ladder = {
  readonly enter: (door: Door) => void;
  readonly refuseUnparsed: (about: Unparsed) => RefusalText;
};

export const ladder = (deps: LadderDeps): Ladder => {
  const { routes, decide, lease, standing, organisation, recorder, clock, telemetry, metrics, log } = deps;
  const say = refusals(deps);
  const { refuse } = say;
  const contextOf = contexts(clock, deps.countryOf);

  // read, stand
  const enter = (door: Door): Answered => {
    const id = deps.nextId();
    const read = deps.read(door.req, switchesProtocol(door));
    if (read.outcome === 'refused') return say.unreadable(door, id, read);
    const trace = (telemetry.tracing ? telemetry.traceId() : undefined) ?? read.traceparent?.slice(3, 35);
    const carrier = telemetry.tracing ? telemetry.carrier() : undefined;
    const passage = passageOf({ id, door, read, trace, carrier });
    if (read.asksTiming || deps.alwaysTimed()) passage.timing = stepTimes(clock.elapsed());
    const not = unfit(standing, lease);
    if (not !== undefined)
      return refuse(passage, not.code, not.reason, { ...(not.detail !== undefined && { detail: not.detail }) });
    if (recorder.full() !== undefined)
      return refuse(passage, 'proxy/recording-full', 'recording-full', recordingRefused(recorder));
    const identity = deps.identify(read);
    if (!(identity instanceof Promise)) return identified(passage, identity);
    identity.then((found) => identified(passage, found)).catch((error) => broken(passage, error));
  };

  // identify
  const identified = (passage: Passage, identity: Identity): Answered => {
    switch (identity.kind) {
      case 'caller':
        passage.caller = identity;
        return matched(passage);
      case 'none':
        return matched(passage);
      case 'two':
        return refuse(passage, 'proxy/two-credentials', 'two-credentials');
      case 'bad':
        return refuse(passage, 'proxy/bad-credential', 'bad-credential', {
          detail: `The credential is not accepted: ${identity.why}.`,
          challenge: identity.challenge,
        });
      case 'session-revoked':
        return refuse(passage, 'proxy/bad-credential', 'session-revoked', { detail: 'The session was ended.' });
      case 'undecidable':
        return refuse(passage, 'proxy/cannot-decide', 'cannot-decide', { detail: `${identity.why}.` });
    }
  };

  // match, decide
  const matched = (passage: Passage): Answered => {
    const { caller, read } = passage;
    const match = routes.match(read.method, read);
    passage.match = match;
    passage.objects = undefined;
    passage.objectsOf = undefined;
    passage.routesVersion = routes.version();
    if (passage.timing !== undefined) passage.timing.matchedAt = clock.elapsed();
    if (read.preflight && match?.endpoint.public !== true) return say.preflight(passage);
    if (match?.operations !== undefined) return inspect(passage, match, match.operations);
    if (match?.endpoint.public === true)
      return decided(passage, { outcome: 'allow', sequence: organisation.sequence, dependsOn: [] }, undefined);
    if (caller === undefined) return refuse(passage, 'proxy/no-credential', 'no-credential');
    if (match === undefined) return refuse(passage, 'proxy/denied', 'no-such-endpoint');
    const named = objectsOf(match);
    if (named.outcome === 'unsafe')
      return refuse(passage, 'proxy/ambiguous-request', 'ambiguous-request', {
        detail: `The path names no object in one way only: ${named.why}.`,
      });
    if (named.outcome === 'unknown') {
      log.error(
        { endpoint: match.endpoint.id, why: named.why },
        'an object rule of the published routes cannot be asked',
      );
      return refuse(passage, 'proxy/cannot-decide', 'cannot-decide');
    }
    const begun = clock.elapsed();
    const context = contextOf(read.ip, caller);
    passage.objects = named.objects.length > 0 ? named.objects.map(objectText) : undefined;
    passage.country = context.country;
    decide(
      caller,
      match.endpoint.id,
      context,
      ({ answer: given, cached }) => {
        if (!cached) metrics.decideSeconds((clock.elapsed() - begun) / 1_000);
        decided(passage, given, cached);
      },
      named.objects,
    );
  };

  // inspect, decide
  const inspect = (passage: Passage, match: Match, operations: readonly Endpoint[]): Answered => {
    const found = deps.operations(passage, match, operations);
    // The place alone is no endpoint: until it is known what is called, nothing is named in the record.
    passage.match = undefined;
    const told = (found: FoundOperations): Answered =>
      found.outcome === 'called'
        ? called(found.passage, found.called)
        : refuse(passage, found.code, found.reason, { ...(found.detail !== undefined && { detail: found.detail }) });
    if (!(found instanceof Promise)) return told(found);
    found.then(told).catch((error) => broken(passage, error));
  };
  const called = (passage: Passage, endpoints: readonly Endpoint[]): Answered => {
    const { caller, read } = passage;
    const asked = endpoints
      .filter((each) => each.public !== true)
      .map((each) => ({ endpoint: each.id, objects: objectsNamed(passage, each) }));
    if (asked.length === 0)
      return decided(passage, { outcome: 'allow', sequence: organisation.sequence, dependsOn: [] }, undefined);
    if (caller === undefined) return refuse(passage, 'proxy/no-credential', 'no-credential');
    const begun = clock.elapsed();
    const context = contextOf(read.ip, caller);
    passage.country = context.country;
    deps.decideAll(caller, asked, context, ({ answer: given, cached, refused, refusedFor }) => {
      if (!cached) metrics.decideSeconds((clock.elapsed() - begun) / 1_000);
      decided(refusedFirst(passage, refused), given, cached, refusedFor);
    });
  };

  // decide (its answer), record, forward
  const decided = (
    passage: Passage,
    given: Answer,
    cached: boolean | undefined,
    denials?: readonly DenyReason[],
  ): Answered => {
    const { caller, match, door } = passage;
    if (passage.routesVersion !== routes.version()) {
      if (passage.attempt >= attemptsMax) return refuse(passage, 'proxy/cannot-decide', 'cannot-decide');
      passage.called = undefined;
      passage.attempt++;
      return matched(passage);
    }
    if (given.outcome === 'unavailable')
      return refuse(passage, 'proxy/cannot-decide', 'cannot-decide', {}, toOutcome(given, cached));
    // Observed is only what would be refused for nothing else: every refused operation, and every missing scope.
    const unscoped =
      caller?.scopes === undefined ? undefined : endpointsOf(passage).find((each) => lacksScopes(caller, each));
    const denied = given.outcome === 'deny' ? (denials ?? [given.reason]) : [];
    const refusedFor = unscoped === undefined ? denied : [...denied, 'scope-missing' as const];
    const observed =
      match === undefined || refusedFor.length === 0
        ? undefined
        : deps.observing.passes(match.service.name, caller, refusedFor);
    if (given.outcome === 'deny' && observed === undefined) return say.denied(passage, given, cached);
    const not = unfit(standing, lease);
    if (not !== undefined) return refuse(passage, not.code, not.reason);
    if (caller !== undefined && !identityHolds(caller, organisation, clock.now()))
      return refuse(passage, 'proxy/bad-credential', 'session-revoked', { detail: 'The session was ended.' });
    if (unscoped !== undefined && observed === undefined)
      return refuse(
        passage,
        'proxy/denied',
        'scope-missing',
        {
          scopes: unscoped.scopes ?? [],
          detail: 'The token was not delegated the scopes that this endpoint asks for.',
        },
        { ...toOutcome(given, cached), outcome: 'deny' },
      );
    if (switchesProtocol(door) && match?.endpoint.websocket !== true)
      return refuse(passage, 'proxy/ambiguous-request', 'ambiguous-request', {
        detail: 'This endpoint does not switch protocols.',
      });
    if (passage.timing !== undefined) {
      passage.timing.decidedAt = clock.elapsed();
      passage.timing.cached = cached;
    }
    const limited = deps.limits.take(passage);
    if (limited?.outcome === 'refused')
      return refuse(
        passage,
        'proxy/rate-limited',
        'rate-limited',
        { headers: limited.headers, retryAfterSeconds: limited.retryAfterSeconds },
        { ...toOutcome(given, cached), outcome: 'deny' },
      );
    passage.rateHeaders = limited?.headers;
    deps.forward(passage, { ...given, outcome: 'allow' }, cached, observed);
  };

  /** Whatever is thrown, nothing passes and nothing falls. */
  const broken = (passage: Passage, error: unknown): Answered => {
    log.error({ err: error, decision: passage.id }, 'a request could not be judged');
    refuse(passage, 'proxy/cannot-decide', 'cannot-decide');
  };
  const guarded = (door: Door): Answered => {
    try {
      enter(door);
    } catch (error) {
      log.error({ err: error }, 'a request could not be judged');
      const id = deps.nextId();
      answer(door, toRefusal('proxy/cannot-decide', { decision: id }), id);
    }
  };

  return {
    enter: (door) => {
      if (!telemetry.tracing) return guarded(door);
      const traceparent = door.req.headers['traceparent'];
      const options = {
        kind: 'server' as const,
        attributes: { [attributes.method]: door.req.method ?? '' },
        ...(typeof traceparent === 'string' && { parent: { traceparent } }),
      };
      const over = door.kind === 'request' ? door.res : door.kind === 'upgrade' ? door.socket : door.over;
      void telemetry.span(
        spans.request,
        options,
        () =>
          new Promise<void>((resolve) => {
            over.once('close', resolve);
            guarded(door);
          }),
      );
    },
    refuseUnparsed: (about) => say.unparsed(deps.nextId(), about),
  };
};
