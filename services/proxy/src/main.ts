/** `postern serve proxy`: the gate by itself; any number of them may run. */
import { hostname } from 'node:os';
import { openDecisionPoint } from '@postern/authorizer/pdp/open';
import { openEventLog } from '@postern/event-log/open';
import {
  configuredCountries,
  eventLogUrl,
  type LoadedConfig,
  openLogger,
  persistedDocuments,
  reloading,
  requireSecret,
  run,
  systemClock,
  within,
} from '@postern/runtime';
import { authzenConfiguration, Problem } from '@postern/schemas';
import { openTelemetry } from '@postern/telemetry/open';
import { observedServices, proxyService, upstreamsOf } from './app.ts';

/** Beside what the drain takes. */
const stopTimeoutMs = 15_000;

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const { config, folder } = loaded;
  const { authorizer, grants, audit, tokenFile } = config.rooms;
  if (authorizer === undefined || grants === undefined || audit === undefined)
    throw new Problem('runtime/bad-config', {
      detail: `${loaded.file}: rooms.authorizer, rooms.grants and rooms.audit have to be named for a proxy by itself`,
      fix: 'Write the base URL of each room.',
    });
  const rooms = { authorizer, grants, audit };
  const log = openLogger(config.log.level, 'postern-proxy');
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-proxy', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const token = tokenFile === undefined ? undefined : await requireSecret(within(folder, tokenFile));
  const decisionPoint = stack.use(openDecisionPoint(authorizer, { ...(token !== undefined && { token }) }));
  let countries = await configuredCountries(loaded);
  const proxy = proxyService(
    {
      eventLog,
      decisionPoint,
      clock,
      telemetry,
      log,
      countryOf: (ip) => countries(ip),
      authzenConfiguration: () => authzenConfiguration(`http://${config.listen}`),
    },
    {
      instance: hostname(),
      listen: config.listen,
      upstreams: upstreamsOf(config.services, rooms, persistedDocuments(loaded)),
      observed: observedServices(config.services),
      issuers: config.issuers,
      trustedProxies: config.trustedProxies,
      leaseMs: config.leaseMs,
      cachedDecisionsMax: config.cachedDecisionsMax,
      drain: config.drain,
    },
  );
  const reload = reloading({
    file: loaded.file,
    log,
    onReload: async (fresh) => {
      countries = await configuredCountries(fresh);
      proxy.configureIssuers(fresh.config.issuers);
      proxy.configureObserved(observedServices(fresh.config.services));
      proxy.configureUpstreams(upstreamsOf(fresh.config.services, rooms, persistedDocuments(fresh)));
      proxy.configureTrustedProxies(fresh.config.trustedProxies);
    },
  });
  await run({
    services: [proxy, reload],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.listen }, 'ready'),
    stopTimeoutMs: config.drain.delayMs + config.drain.timeoutMs + stopTimeoutMs,
  });
};
