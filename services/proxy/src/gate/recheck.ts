/** Decides anew about exchanges under way, and cuts those that are allowed no more. */

import type { Clock, CountryOf, Logger } from '@postern/runtime';
import {
  type Answer,
  type ContextField,
  type DecisionRecord,
  type EndpointId,
  type ObjectQuestion,
  type Organisation,
  objectsOf,
  permits,
} from '@postern/schemas';
import type { Decider } from '../decide/decider.ts';
import { identityHolds, lacksScopes } from '../identify/identity.ts';
import type { Recorder } from '../record.ts';
import { contexts } from './context.ts';
import type { Live, LiveExchanges } from './live.ts';
import type { Observing } from './observing.ts';
import type { Routes } from './routes.ts';

export type RecheckDeps = {
  readonly live: LiveExchanges;
  readonly decide: Decider;
  readonly routes: Routes;
  readonly organisation: Organisation;
  readonly recorder: Recorder;
  readonly observing: Pick<Observing, 'passes'>;
  readonly nextId: () => string;
  readonly countryOf?: CountryOf | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long an undecided exchange may go on, in ms: no longer than an unheard one. */
  readonly leaseMs: number;
};

export type Rechecker = {
  /** Resolves when each of them is allowed as of now, or cut. Never rejects. */
  readonly recheck: (exchanges: Iterable<Live>) => Promise<void>;
  readonly cut: (exchange: Live) => void;
};

const retryAfterMs = 100;

export const rechecker = ({
  live,
  decide,
  routes,
  organisation,
  recorder,
  observing,
  nextId,
  countryOf,
  clock,
  log,
  leaseMs,
}: RecheckDeps): Rechecker => {
  const contextOf = contexts(clock, countryOf);
  const cut = (exchange: Live): void => {
    if (!live.has(exchange)) return;
    live.delete(exchange);
    exchange.cut();
    recorder.take(toCutRecord(exchange, nextId(), clock, organisation.sequence));
    log.info({ ends: exchange.decision, endpoint: exchange.endpoint }, 'an exchange under way was cut');
  };
  const ask = (exchange: Live, endpoint: string, objects: readonly ObjectQuestion[]): Promise<Answer> =>
    new Promise((resolve) => {
      const { caller } = exchange;
      if (caller === undefined) return resolve(noGrant(organisation));
      const context = contextOf(exchange.ip, caller);
      decide(caller, endpoint as EndpointId, context, ({ answer }) => resolve(answer), objects);
    });
  const passes = (exchange: Live, refusedFor: Parameters<Observing['passes']>[2]): boolean => {
    const observed = observing.passes(exchange.service, exchange.caller, refusedFor) !== undefined;
    if (observed) exchange.observed = true;
    return observed;
  };
  const still = async (exchange: Live): Promise<boolean> => {
    const dependsOn = new Set<ContextField>();
    for (const endpoint of [exchange.endpoint, ...exchange.also])
      if (!(await stillAt(exchange, endpoint, dependsOn))) return false;
    exchange.dependsOn = [...dependsOn];
    return true;
  };
  const stillAt = async (exchange: Live, endpoint: string, dependsOn: Set<ContextField>): Promise<boolean> => {
    const begun = clock.elapsed();
    for (;;) {
      const match = routes.rematch(exchange.method, exchange.path, endpoint);
      if (
        match === undefined ||
        (exchange.caller !== undefined && !identityHolds(exchange.caller, organisation, clock.now()))
      )
        return false;
      if (match.endpoint.public === true) return true;
      // The route may ask for other objects and scopes than it did.
      const named = exchange.objectsOf?.(match.endpoint) ?? objectsOf(match);
      if (named.outcome !== 'named') return false;
      const unscoped = lacksScopes(exchange.caller, match.endpoint);
      if (unscoped && !passes(exchange, ['scope-missing'])) return false;
      const answer = await ask(exchange, endpoint, named.objects);
      if (answer.outcome !== 'unavailable') for (const field of answer.dependsOn) dependsOn.add(field);
      if (permits(answer)) return !unscoped || passes(exchange, ['scope-missing']);
      if (answer.outcome === 'deny')
        return passes(exchange, unscoped ? [answer.reason, 'scope-missing'] : [answer.reason]);
      if (!live.has(exchange) || clock.elapsed() - begun >= leaseMs) return false;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref());
    }
  };
  return {
    cut,
    recheck: async (exchanges) => {
      await Promise.all(
        [...exchanges].map(async (exchange) => {
          const allowed = await still(exchange).catch((error) => {
            log.error({ err: error }, 'an exchange under way could not be judged');
            return false;
          });
          if (!allowed) cut(exchange);
        }),
      );
    },
  };
};

const noGrant = ({ sequence }: Organisation): Answer => ({
  outcome: 'deny',
  reason: 'no-grant',
  sequence,
  dependsOn: [],
});

const toCutRecord = (exchange: Live, id: string, clock: Clock, sequence: number): DecisionRecord => ({
  id,
  at: new Date(clock.now()).toISOString(),
  outcome: 'deny',
  reason: 'cut',
  ...(exchange.caller !== undefined && { principal: exchange.caller.principal }),
  ...(exchange.caller?.credential !== undefined && { credential: exchange.caller.credential }),
  service: exchange.service,
  endpoint: exchange.endpoint,
  method: exchange.method,
  path: exchange.path.slice(0, 2_000),
  ...(exchange.ip !== undefined && { ip: exchange.ip }),
  sequence,
  ends: exchange.decision,
});
