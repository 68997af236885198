/** The proxy, put together: read it from top to bottom and it is the picture in the README. */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { EventLog } from '@postern/event-log';
import { type Clock, type CountryOf, type Logger, listen, type Service } from '@postern/runtime';
import { beginning, type DecisionPoint, type Issuer, Organisation } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import { announce } from './announce.ts';
import { openAssertions } from './assert.ts';
import { drainTimeoutMs, type ProxyConfig, unrecordedDecisionsMax } from './config.ts';
import { ahead } from './decide/ahead.ts';
import { decisionCache } from './decide/cache.ts';
import { decideAll } from './decide/decide-all.ts';
import { decider } from './decide/decider.ts';
import { openLease } from './decide/lease.ts';
import { followFacts } from './facts.ts';
import { upgradeForwarder } from './forward/upgrade.ts';
import { openUpstreams } from './forward/upstreams.ts';
import { addressReader } from './gate/address.ts';
import { contexts } from './gate/context.ts';
import { inspectedBytesMax, inspector } from './gate/inspect.ts';
import { ladder } from './gate/ladder.ts';
import { liveExchanges } from './gate/live.ts';
import { gateMetrics } from './gate/metrics.ts';
import { type ObservedServices, observing } from './gate/observing.ts';
import { operationsFinder } from './gate/operations.ts';
import { passer } from './gate/pass.ts';
import { decisionIds } from './gate/passage.ts';
import { requestReader } from './gate/read.ts';
import { rechecker } from './gate/recheck.ts';
import { routesOf } from './gate/routes.ts';
import { gateServer } from './gate/server.ts';
import type { Standing } from './gate/standing.ts';
import { heartbeat } from './heartbeat.ts';
import { identifier } from './identify/identify.ts';
import type { ReadDocument } from './identify/issuer-keys.ts';
import { jwtIdentifier } from './identify/jwt.ts';
import { peers } from './peers.ts';
import { recorder } from './record.ts';
import { neededRoles } from './refusal.ts';
import { watchOver } from './watch.ts';

export type { ProxyConfig, UpstreamConfig } from './config.ts';
export { observedServices } from './observed-services.ts';
export { type RoomUrls, upstreamsOf } from './upstreams-of.ts';

export type ProxyDeps = {
  readonly eventLog: {
    readonly facts: Pick<EventLog['facts'], 'follow' | 'head'>;
    readonly decisions: Pick<EventLog['decisions'], 'publish'>;
    readonly enforcement: Pick<EventLog['enforcement'], 'publish' | 'follow'>;
  };
  readonly decisionPoint: DecisionPoint;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /** The document at `/.well-known/authzen-configuration`; 404 while it is undefined. */
  readonly authzenConfiguration?: () => unknown;
  /** The country of a client's address; without it no condition on countries is met. */
  readonly countryOf?: CountryOf;
  /** Reads an issuer's documents; by default over HTTPS, HTTP or from a file. */
  readonly readIssuerDocument?: ReadDocument;
  /** How many decisions may wait for the log before the gate refuses. */
  readonly unrecordedDecisionsMax?: number;
};

export type ProxyService = Service & {
  /** Where the gate listens, once it has started. */
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  /** Who this run of the proxy is in heartbeats and decision batches. */
  readonly instance: string;
  /** The sequence whose consequences have been applied. */
  readonly enforces: () => number;
  /** Takes issuers anew without dropping a request. */
  readonly configureIssuers: (issuers: readonly Issuer[]) => void;
  readonly configureObserved: (services: ObservedServices) => void;
};

/** How long the last decisions may take to reach the log when the proxy stops, in ms. */
const lastRecordsTimeoutMs = 10_000;

export const proxyService = (deps: ProxyDeps, config: ProxyConfig): ProxyService => {
  const { eventLog, decisionPoint, countryOf, clock, telemetry, log } = deps;
  const { leaseMs } = config;
  const instance = `${config.instance}-${randomBytes(4).toString('hex')}`;
  const standing: Standing = { state: 'starting', startHead: undefined, enforces: beginning, unreadable: undefined };
  const over = new AbortController();

  // What the log says.
  const organisation = new Organisation();
  const routes = routesOf(organisation);
  const needed = neededRoles(organisation);

  // What may be trusted of it, and for how long.
  const lease = openLease(clock, leaseMs);
  const cache = decisionCache(config.cachedDecisionsMax);
  const failed = (error: unknown): void => log.error({ err: error }, 'a decision could not be asked for or acted on');
  const sequence = () => organisation.sequence;
  const early = ahead(sequence, leaseMs);
  const decide = decider({ point: decisionPoint, cache, sequence, ahead: early, failed });

  // What is written down and told.
  const records = recorder(eventLog.decisions, {
    instance,
    decisionsMax: deps.unrecordedDecisionsMax ?? unrecordedDecisionsMax,
    log,
  });
  const assertions = openAssertions(clock);
  const others = peers(assertions.jwk, { clock, log });
  const beating = heartbeat({
    enforcement: eventLog.enforcement,
    instance,
    jwk: assertions.jwk,
    standing,
    lease,
    leaseMs,
    clock,
    log,
  });
  const metrics = gateMetrics(telemetry);

  // What is under way.
  const nextId = decisionIds();
  const live = liveExchanges();
  const observe = observing(config.observed ?? {}, { organisation, clock, log });
  const recheck = rechecker({
    live,
    decide,
    routes,
    organisation,
    recorder: records,
    observing: observe,
    nextId,
    countryOf,
    clock,
    log,
    leaseMs,
  });
  const upstreams = openUpstreams(config.upstreams);

  // The ladder, and the server in front of it.
  const jwt = jwtIdentifier(clock, config.issuers, deps.readIssuerDocument);
  const forward = passer({
    upstreams,
    assertions,
    forwardUpgrade: upgradeForwarder(),
    recorder: records,
    live,
    clock,
    metrics,
    routes,
    decide,
    observing: observe,
    contextOf: contexts(clock, countryOf),
  });
  const gate = ladder({
    read: requestReader(addressReader(config.trustedProxies)),
    identify: identifier(organisation, jwt, clock),
    routes,
    decide,
    decideAll: decideAll(decide, () => organisation.sequence, failed),
    operations: operationsFinder({
      inspect: inspector(config.upstreams),
      bodyBytesMax: ({ service, below }) => upstreams.find(service.name, below)?.bodyBytesMax ?? inspectedBytesMax,
    }),
    lease,
    standing,
    organisation,
    recorder: records,
    observing: observe,
    needed,
    nextId,
    forward,
    countryOf,
    clock,
    telemetry,
    metrics,
    log,
  });
  const { server, app } = gateServer(gate, { jwks: others.jwks, authzen: () => deps.authzenConfiguration?.() });

  const measure = (): void =>
    metrics.observe({
      cached: cache.size(),
      enforces: standing.enforces,
      live: live.size(),
      unrecorded: records.waiting(),
    });
  const watch = watchOver({ live, rechecker: recheck, lease, standing, clock, leaseMs, observe: measure });
  const factsDeps = {
    facts: eventLog.facts,
    organisation,
    cache,
    routes,
    needed,
    live,
    rechecker: recheck,
    lease,
    standing,
    applied: early.applied,
    advanced: beating.soon,
    clock,
    leaseMs,
    telemetry,
    log,
  };
  let background: Promise<unknown> = Promise.resolve();

  const drained = async (): Promise<void> => {
    const deadline = clock.elapsed() + drainTimeoutMs;
    while (live.size() > 0 && clock.elapsed() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const exchange of [...live.all()]) recheck.cut(exchange);
  };

  return {
    name: 'proxy',
    instance,
    enforces: () => standing.enforces,
    configureIssuers: jwt.configure,
    configureObserved: observe.configure,
    observing: observe.now,
    address: () => {
      const address = server.address() as AddressInfo | null;
      return address === null ? undefined : { host: address.address, port: address.port };
    },
    start: async () => {
      await listen(app, config.listen);
      watch.start();
      observe.start();
      background = announce({ beating, facts: eventLog.facts, standing, log }, over.signal).then(() =>
        Promise.all([followFacts(factsDeps, over.signal), others.follow(eventLog.enforcement, over.signal)]),
      );
    },
    notReady: () => [
      ...(standing.unreadable === undefined
        ? []
        : [`the log holds a fact that this version cannot read: ${standing.unreadable}`]),
      ...(standing.state === 'starting'
        ? [`catching up with the log: at ${organisation.sequence} of ${standing.startHead ?? 'an unknown head'}`]
        : []),
      ...(standing.state === 'serving' && !lease.holds() ? ['not heard from the log for the lease time'] : []),
      ...(records.full() ? ['decisions cannot be recorded'] : []),
    ],
    stop: async () => {
      const closed = app.close();
      server.closeIdleConnections();
      await drained();
      standing.state = 'stopped';
      server.closeAllConnections();
      await closed.catch((error) => log.warn({ err: error }, 'the listener did not close'));
      watch.stop();
      observe.stop();
      over.abort();
      await background.catch(() => {});
      const lost = await records.stop(lastRecordsTimeoutMs);
      if (lost > 0) log.fatal({ decisions: lost }, 'decisions were not recorded');
      await beating.stop();
      await upstreams.close();
    },
  };
};
