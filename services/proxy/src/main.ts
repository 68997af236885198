/** `postern serve proxy`: the gate by itself; any number of them may run. */
import { hostname } from 'node:os';
import { openDecisionPoint } from '@postern/authorizer/pdp/open';
import { openEventLog } from '@postern/event-log/open';
import {
  configuredCountries,
  dataFolder,
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
import { gatewaysOf, graphQlServices, observedServices, openJournal, proxyService, upstreamsOf } from './app.ts';
import { parentsProofMemory, tellParent, workerNumber } from './workers/worker.ts';
import { workers } from './workers/workers.ts';

/** Beside what the drain takes. */
const stopTimeoutMs = 15_000;

/** Resolves when a signal has stopped it: one gate, or a process for each of several and this one over them. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const worker = workerNumber(process.env);
  if (worker !== undefined) return serveGate(loaded, worker);
  if (loaded.config.workers === 1) return serveGate(loaded);
  const { config } = loaded;
  const log = openLogger(config.log.level, 'postern-proxy');
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-proxy', otlp: undefined }));
  const [command = '', ...args] = process.argv.slice(1);
  await run({
    services: [workers({ command, args, log, telemetry, clock: systemClock }, config.workers)],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.listen, workers: config.workers }, 'ready'),
    stopTimeoutMs: config.drain.delayMs + config.drain.timeoutMs + stopTimeoutMs + 5_000,
  });
};

const serveGate = async (loaded: LoadedConfig, worker?: number): Promise<void> => {
  const { config, folder } = loaded;
  const { authorizer, grants, audit, console, tokenFile } = config.rooms;
  if (authorizer === undefined || grants === undefined || audit === undefined)
    throw new Problem('runtime/bad-config', {
      detail: `${loaded.file}: rooms.authorizer, rooms.grants and rooms.audit have to be named for a proxy by itself`,
      fix: 'Write the base URL of each room.',
    });
  const rooms = { authorizer, grants, audit, ...(console !== undefined && { console }) };
  const log = openLogger(config.log.level, 'postern-proxy');
  const clock = systemClock;
  const tls = await readTlsFiles(loaded, clock.now());
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(
    await openTelemetry({
      service: 'postern-proxy',
      otlp: config.telemetry.otlp,
      ...(worker !== undefined && { labels: { worker: String(worker) } }),
    }),
  );
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const token = tokenFile === undefined ? undefined : await requireSecret(within(folder, tokenFile));
  const decisionPoint = stack.use(openDecisionPoint(authorizer, { ...(token !== undefined && { token }) }));
  const journal = stack.use(openJournal(`${dataFolder(loaded)}/decisions`));
  let countries = await configuredCountries(loaded);
  const proxy = proxyService(
    {
      eventLog,
      decisionPoint,
      clock,
      telemetry,
      log,
      journal,
      countryOf: (ip) => countries(ip),
      proofMemory: worker === undefined ? undefined : parentsProofMemory(process.env),
      authzenConfiguration: () => authzenConfiguration(`${tls === undefined ? 'http' : 'https'}://${config.listen}`),
    },
    {
      instance: worker === undefined ? hostname() : `${hostname()}-${worker}`,
      listen: config.listen,
      sharesPort: worker !== undefined,
      upstreams: upstreamsOf(config.services, rooms, persistedDocuments(loaded)),
      observed: observedServices(config.services),
      issuers: config.issuers,
      ...(tls !== undefined && { tls }),
      ...(config.h2c !== undefined && { h2c: config.h2c }),
      trustedProxies: config.trustedProxies,
      gateways: await gatewaysOf(loaded),
      leaseMs: config.leaseMs,
      cachedDecisionsMax: config.cachedDecisionsMax,
      drain: config.drain,
      recording: config.recording,
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
      proxy.configureUpstreams(upstreamsOf(fresh.config.services, rooms, persisted));
      proxy.configureTrustedProxies(fresh.config.trustedProxies);
    },
  });
  using _telling = worker === undefined ? undefined : tellParent(proxy, telemetry);
  await run({
    services: [proxy, reload],
    health: worker === undefined ? config.health : undefined,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.listen }, 'ready'),
    stopTimeoutMs: config.drain.delayMs + config.drain.timeoutMs + stopTimeoutMs,
  });
};
