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
  readTlsFiles,
  reloading,
  requireSecret,
  run,
  systemClock,
  tlsFiles,
  within,
} from '@postern/runtime';
import { authzenConfiguration, Problem } from '@postern/schemas';
import { openTelemetry } from '@postern/telemetry/open';
import { gatewaysOf, graphQlServices, observedServices, proxyService, upstreamsOf } from './app.ts';

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const { config, folder } = loaded;
  const { authorizer, grants, audit, tokenFile } = config.rooms;
  if (authorizer === undefined || grants === undefined || audit === undefined)
    throw new Problem('runtime/bad-config', {
      detail: `${loaded.file}: rooms.authorizer, rooms.grants and rooms.audit have to be named for a proxy by itself`,
      fix: 'Write the base URL of each room.',
    });
  const log = openLogger(config.log.level, 'postern-proxy');
  const clock = systemClock;
  const tls = await readTlsFiles(loaded, clock.now());
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
      authzenConfiguration: () => authzenConfiguration(`${tls === undefined ? 'http' : 'https'}://${config.listen}`),
    },
    {
      instance: hostname(),
      listen: config.listen,
      ...(config.h2c !== undefined && { h2c: config.h2c }),
      upstreams: upstreamsOf(config.services, { authorizer, grants, audit }, persistedDocuments(loaded)),
      observed: observedServices(config.services),
      issuers: config.issuers,
      ...(tls !== undefined && { tls }),
      ...(config.h2c !== undefined && { h2c: config.h2c }),
      trustedProxies: config.trustedProxies,
      gateways: await gatewaysOf(loaded),
      leaseMs: config.leaseMs,
      cachedDecisionsMax: config.cachedDecisionsMax,
    },
  );
  const reload = reloading({
    file: loaded.file,
    log,
    beside: tlsFiles,
    onReload: async (fresh) => {
      const material = await readTlsFiles(fresh, clock.now());
      const persisted = persistedDocuments(fresh);
      countries = await configuredCountries(fresh);
      if (material !== undefined) proxy.configureTls(material);
      proxy.configureGraphQl(graphQlServices(fresh.config.services, persisted));
      proxy.configureIssuers(fresh.config.issuers);
      proxy.configureObserved(observedServices(fresh.config.services));
    },
  });
  await run({
    services: [proxy, reload],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.listen }, 'ready'),
  });
};
