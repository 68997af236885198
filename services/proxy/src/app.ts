/** The proxy, put together: read it from top to bottom and it is the picture in the README. */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { EventLog } from '@postern/event-log';
import { type Clock, type CountryOf, type Logger, listen, type Service, type TlsMaterial } from '@postern/runtime';
import { beginning, type DecisionPoint, type Issuer, Organisation } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import { announce } from './announce.ts';
import { openAssertions } from './assert.ts';
import { answering } from './authorize/answering.ts';
import { voucher } from './authorize/vouch.ts';
import { clockwork } from './clockwork.ts';
import { drainByDefault, type ProxyConfig, type UpstreamConfig, unrecordedDecisionsMax } from './config.ts';
import { ahead } from './decide/ahead.ts';
import { decisionCache } from './decide/cache.ts';
import { decideAll } from './decide/decide-all.ts';
import { decider } from './decide/decider.ts';
import { openLease } from './decide/lease.ts';
import { followFacts } from './facts.ts';
import { upgradeForwarder } from './forward/upgrade.ts';
import { upstreamMetrics } from './forward/upstream-metrics.ts';
import { openUpstreams, type TargetReport } from './forward/upstreams.ts';
import { addressReader } from './gate/address.ts';
import { clearListener } from './gate/clear-listener.ts';
import { contexts } from './gate/context.ts';
import { draining } from './gate/draining.ts';
import { type GraphQlServices, inspectedBytesMax, inspector } from './gate/inspect.ts';
import { ladder } from './gate/ladder.ts';
import { liveExchanges } from './gate/live.ts';
import { gateMetrics } from './gate/metrics.ts';
import { type ObservedServices, observing } from './gate/observing.ts';
import { operationsFinder } from './gate/operations.ts';
import { passer } from './gate/pass.ts';
import { decisionIds } from './gate/passage.ts';
import { rateLimits } from './gate/rate-limits.ts';
import { type Reader, requestReader } from './gate/read.ts';
import { rechecker } from './gate/recheck.ts';
import { routesOf } from './gate/routes.ts';
import { gateServer } from './gate/server.ts';
import type { Standing } from './gate/standing.ts';
import { heartbeat } from './heartbeat.ts';
import { clientCertificates } from './identify/client-certificates.ts';
import { type ProofMemory, proofChecker } from './identify/dpop.ts';
import { identifier } from './identify/identify.ts';
import { opaqueIdentifier } from './identify/introspection.ts';
import type { ReadDocument } from './identify/issuer-keys.ts';
import { jwtIdentifier } from './identify/jwt.ts';
import type { Journal } from './journal/journal.ts';
import { neededRoles } from './needed.ts';
import { peers } from './peers.ts';
import { recorder } from './record.ts';
import { watchOver } from './watch.ts';

export type { ProxyConfig, UpstreamConfig } from './config.ts';
export { gatewaysOf } from './gateways-of.ts';
export { graphQlServices } from './graphql-services.ts';
export { type Journal, openJournal } from './journal/journal.ts';
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
  /** Of gates that share an address; by default this one has its own. */
  readonly proofMemory?: ProofMemory | undefined;
  /** How many decisions may wait for the log before the gate refuses. */
  readonly unrecordedDecisionsMax?: number;
  /** Keeps what the log has not taken beyond the end of this process; without one it waits in memory. */
  readonly journal?: Journal | undefined;
};

export type ProxyService = Service & {
  /** Where the gate listens, once it has started. */
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  /** Where it takes HTTP/2 in the clear, if anywhere. */
  readonly clearAddress: () => { readonly host: string; readonly port: number } | undefined;
  /** The port of ext_authz over gRPC, where it is configured, once it has started. */
  readonly extAuthzPort: () => number | undefined;
  /** Who this run of the proxy is in heartbeats and decision batches. */
  readonly instance: string;
  /** The sequence whose consequences have been applied. */
  readonly enforces: () => number;
  /** Takes issuers anew without dropping a request. */
  readonly configureIssuers: (issuers: readonly Issuer[]) => void;
  /** Takes the certificates anew without dropping a connection; only where the gate speaks TLS. */
  readonly configureTls: (material: TlsMaterial) => void;
  readonly configureObserved: (services: ObservedServices) => void;
  /** Targets, limits and timeouts: from the next request on. What is under way ends where and as it began. */
  readonly configureUpstreams: (upstreams: ProxyConfig['upstreams']) => void;
  readonly configureTrustedProxies: (blocks: readonly string[]) => void;
  readonly targets: () => readonly TargetReport[];
  /** Takes depths and persisted documents anew: from the next request on. */
  readonly configureGraphQl: (services: GraphQlServices) => void;
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
    ...config.recording,
    decisionsMax:
      deps.unrecordedDecisionsMax ??
      (deps.journal === undefined ? undefined : config.recording?.decisionsMax) ??
      unrecordedDecisionsMax,
    journal: deps.journal,
    elapsed: clock.elapsed,
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
  const inspect = inspector(config.upstreams);
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
  const upstreams = openUpstreams(config.upstreams, clock.elapsed);
  const limits = rateLimits({ gates: others.gates, elapsed: clock.elapsed });
  let alwaysTimed = false;
  const configureUpstreams = (services: Readonly<Record<string, UpstreamConfig>>): void => {
    upstreams.configure(services);
    limits.configure(services);
    alwaysTimed = Object.values(services).some(({ serverTiming }) => serverTiming === 'always');
  };
  configureUpstreams(config.upstreams);
  const upstreamNumbers = upstreamMetrics(telemetry, upstreams, limits.refused);
  const deadlines = clockwork({ live, upstreams, elapsed: clock.elapsed, log });
  const drain = draining(config.drain ?? drainByDefault, clock.elapsed);

  // The ladder, and the server in front of it.
  const jwt = jwtIdentifier(clock, config.issuers, deps.readIssuerDocument);
  const opaque = opaqueIdentifier(clock, config.issuers);
  const certificates = clientCertificates(clock, config.tls?.clients);
  const forward = passer({
    upstreams,
    assertions,
    forwardUpgrade: upgradeForwarder(),
    vouch: voucher({ assertions, recorder: records, clock, metrics }),
    recorder: records,
    live,
    clock,
    metrics,
    draining: drain.begun,
    routes,
    decide,
    observing: observe,
    contextOf: contexts(clock, countryOf),
  });
  let read: Reader = requestReader(addressReader(config.trustedProxies));
  const gate = ladder({
    read: (req, upgrade) => read(req, upgrade),
    identify: identifier({
      organisation,
      jwt,
      clock,
      opaque,
      proofs: proofChecker(clock, deps.proofMemory),
      certificates,
    }),
    routes,
    decide,
    decideAll: decideAll(decide, () => organisation.sequence, failed),
    operations: operationsFinder({
      inspect,
      bodyBytesMax: ({ service, below }) => upstreams.find(service.name, below)?.bodyBytesMax ?? inspectedBytesMax,
      bodyTimeoutMs: config.bodyTimeoutMs,
    }),
    lease,
    standing,
    organisation,
    recorder: records,
    observing: observe,
    needed,
    nextId,
    limits,
    alwaysTimed: () => alwaysTimed,
    forward,
    countryOf,
    clock,
    telemetry,
    metrics,
    log,
  });
  const { gateways, trustedProxies } = config;
  const asked = answering({ ladder: gate, gateways, trustedProxies, clock, log });
  const documents = { jwks: others.jwks, authzen: () => deps.authzenConfiguration?.() };
  const { server, app, clear, goAway, closeAll, configureTls } = gateServer(gate, documents, {
    draining: drain.begun,
    asking: asked.http,
    ...(config.tls !== undefined && {
      tls: {
        material: config.tls,
        generation: certificates.generation,
        handshakeFailed: (error) => log.debug({ err: error }, 'a TLS handshake failed'),
      },
    }),
  });
  const inTheClear = config.h2c === undefined ? undefined : clearListener(config.h2c, clear);
  let certificateEndsMs = config.tls?.expiresAtMs ?? Number.POSITIVE_INFINITY;

  const measure = (): void => {
    metrics.observe({
      cached: cache.size(),
      enforces: standing.enforces,
      live: live.size(),
      unrecorded: records.waiting(),
      journalBytes: records.journalBytes(),
      logAway: records.away(),
    });
    upstreamNumbers.observe();
  };
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

  return {
    name: 'proxy',
    instance,
    enforces: () => standing.enforces,
    configureIssuers: (issuers) => {
      jwt.configure(issuers);
      opaque.configure(issuers);
    },
    configureTls: (material) => {
      certificates.configure(material.clients);
      configureTls(material);
      certificateEndsMs = material.expiresAtMs;
      // Streams of callers whose authority is trusted no more end here.
      void recheck.recheck(live.all());
    },
    configureObserved: observe.configure,
    configureUpstreams,
    configureTrustedProxies: (blocks) => {
      read = requestReader(addressReader(blocks));
    },
    targets: upstreams.report,
    configureGraphQl: inspect.configure,
    observing: observe.now,
    clearAddress: () => inTheClear?.address(),
    address: () => {
      const address = server.address() as AddressInfo | null;
      return address === null ? undefined : { host: address.address, port: address.port };
    },
    extAuthzPort: asked.extAuthzPort,
    start: async () => {
      await listen(app, config.listen, { reusePort: config.sharesPort === true });
      await inTheClear?.start(config.sharesPort === true);
      await asked.start();
      watch.start();
      deadlines.start();
      observe.start();
      background = announce({ beating, facts: eventLog.facts, standing, log }, over.signal).then(() =>
        Promise.all([followFacts(factsDeps, over.signal), others.follow(eventLog.enforcement, over.signal)]),
      );
    },
    notReady: () => [
      ...(drain.leaving() ? ['stopping'] : []),
      ...(standing.unreadable === undefined
        ? []
        : [`the log holds a fact that this version cannot read: ${standing.unreadable}`]),
      ...(standing.state === 'starting'
        ? [`catching up with the log: at ${organisation.sequence} of ${standing.startHead ?? 'an unknown head'}`]
        : []),
      ...(standing.state === 'serving' && !lease.holds() ? ['not heard from the log for the lease time'] : []),
      ...(clock.now() >= certificateEndsMs ? ["the gate's own certificate has run out"] : []),
      ...[records.full()].flatMap((why) => (why === undefined ? [] : [`decisions cannot be recorded: ${why}`])),
    ],
    stop: async () => {
      let clearClosed: Promise<void> | undefined;
      await drain.drain(server, live, () => {
        clearClosed = inTheClear?.close();
        goAway();
      });
      for (const exchange of live.all()) recheck.cut(exchange);
      await asked.stop();
      standing.state = 'stopped';
      closeAll();
      await clearClosed;
      await app.close().catch((error: NodeJS.ErrnoException) => {
        // It has not been listening since the drain began.
        if (error.code !== 'ERR_SERVER_NOT_RUNNING') log.warn({ err: error }, 'the listener did not close');
      });
      watch.stop();
      deadlines.stop();
      observe.stop();
      over.abort();
      await background.catch(() => {});
      const lost = await records.stop(lastRecordsTimeoutMs);
      if (lost > 0 && deps.journal !== undefined)
        log.error({ decisions: lost }, 'decisions wait in the journal for the next start');
      else if (lost > 0) log.fatal({ decisions: lost }, 'decisions were not recorded');
      await beating.stop();
      await upstreams.close();
    },
  };
};
