/** `postern up`: every room in one process. The wiring diagram of the product; what is opened here is closed in reverse order. */
import { auditService, makeSigningKey, parseSigningKey } from '@postern/audit/app';
import { openAuditStore } from '@postern/audit-store/open';
import { authorizerService } from '@postern/authorizer/app';
import { openEventLog, openInboundFeed } from '@postern/event-log/open';
import { grantsService, schemaCheck } from '@postern/grants/app';
import { observedServices, proxyService, upstreamsOf } from '@postern/proxy/app';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  auditStoreUrl,
  configuredCountries,
  dataFolder,
  eventLogUrl,
  httpListener,
  keptIn,
  type LoadedConfig,
  type Logger,
  loadModel,
  mistakeText,
  openLogger,
  persistedDocuments,
  readOrMakeSecret,
  relationshipsUrl,
  reloading,
  requireFree,
  requireSecret,
  run,
  type Service,
  systemClock,
  within,
} from '@postern/runtime';
import { authzenConfiguration } from '@postern/schemas';
import { openTelemetry } from '@postern/telemetry/open';

export type UpOptions = {
  readonly loaded: LoadedConfig;
  /** Takes a changed configuration file in while running. */
  readonly reloads: boolean;
  /** Services that come before and go after everything else: the demo's API and identity provider. */
  readonly beside?: (log: Logger) => Promise<readonly Service[]>;
  /** Called when the gate is ready; `adminKey` on the first start alone. */
  readonly onReady: (ready: {
    readonly gate: string;
    readonly adminKey: string | undefined;
    readonly data: string;
  }) => Promise<void>;
};

const loopback = '127.0.0.1:0';

/** Resolves when a signal has stopped it; rejects with a Problem when it cannot start. */
export const up = async ({ loaded, reloads, beside, onReady }: UpOptions): Promise<void> => {
  const { config, folder } = loaded;
  const data = dataFolder(loaded);
  const model = loadModel(loaded);
  const log = openLogger(config.log.level, 'postern');
  for (const note of model.notes) log.warn(mistakeText(note));
  if (config.workers > 1)
    log.warn('workers counts for postern serve proxy; here one gate shares the process with all else');
  const clock = systemClock;
  // Looked at first, because the proxy takes its address last: a start that cannot succeed leaves nothing behind.
  for (const address of [config.listen, config.health]) await requireFree(address);

  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const engine = stack.use(await openRelationships(relationshipsUrl(loaded), { telemetry }));
  const store = stack.use(await openAuditStore(auditStoreUrl(loaded), telemetry));
  const feeds = [];
  for (const { kafka, group } of config.feeds) feeds.push(stack.use(await openInboundFeed(kafka, group)));
  const signingKey = parseSigningKey(
    config.audit.key === undefined
      ? await readOrMakeSecret(`${data}/audit.key`, makeSigningKey)
      : await requireSecret(within(folder, config.audit.key)),
  );

  let adminKey: string | undefined;
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const authorizer = authorizerService({ facts: eventLog.facts, engine, keys, clock, telemetry, log }, {});
  const audit = auditService(
    { eventLog, store, keys, signingKey, clock, log, telemetry },
    { origin: config.audit.origin },
  );
  const grants = grantsService(
    { eventLog, feeds, keys, clock, telemetry, log, checkSchema: schemaCheck(() => openRelationships('embedded:')) },
    {
      model,
      publishedByCommand: config.model.publish === 'by-command',
      enforceTimeoutMs: 2 * config.leaseMs,
      administratorKey: keptIn(`${data}/admin.key`, (secret) => {
        adminKey = secret;
      }),
    },
  );
  const listeners = {
    authorizer: httpListener(authorizer, loopback),
    audit: httpListener(audit, loopback),
    grants: httpListener(grants, loopback),
  };

  let countries = await configuredCountries(loaded);

  // The rooms take their ports when they start, so the proxy, which starts last, is made when they are known.
  const roomUrls = () => ({
    authorizer: listeners.authorizer.url(),
    audit: listeners.audit.url(),
    grants: listeners.grants.url(),
  });
  const proxy = startedLast('proxy', () =>
    proxyService(
      {
        eventLog,
        decisionPoint: authorizer,
        clock,
        telemetry,
        log,
        countryOf: (ip) => countries(ip),
        authzenConfiguration: () => authzenConfiguration(`http://${config.listen}`),
      },
      {
        instance: 'proxy',
        listen: config.listen,
        upstreams: upstreamsOf(config.services, roomUrls(), persistedDocuments(loaded)),
        observed: observedServices(config.services),
        issuers: config.issuers,
        trustedProxies: config.trustedProxies,
        leaseMs: config.leaseMs,
        cachedDecisionsMax: config.cachedDecisionsMax,
        drain: config.drain,
      },
    ),
  );
  const reload = reloading({
    file: loaded.file,
    log,
    onReload: async (fresh) => {
      const found = await configuredCountries(fresh);
      await grants.publish(loadModel(fresh));
      countries = found;
      proxy.made()?.configureIssuers(fresh.config.issuers);
      proxy.made()?.configureObserved(observedServices(fresh.config.services));
      proxy.made()?.configureUpstreams(upstreamsOf(fresh.config.services, roomUrls(), persistedDocuments(fresh)));
      proxy.made()?.configureTrustedProxies(fresh.config.trustedProxies);
    },
  });

  await run({
    services: [
      ...((await beside?.(log)) ?? []),
      keys,
      authorizer,
      audit,
      grants,
      ...Object.values(listeners),
      proxy,
      ...(reloads ? [reload] : []),
    ],
    health: config.health,
    telemetry,
    log,
    stopTimeoutMs: config.drain.delayMs + config.drain.timeoutMs + 15_000,
    onReady: () => onReady({ gate: `http://${config.listen}`, adminKey, data }),
  });
};

/** A service that can be made only once those before it have started. */
const startedLast = <Made extends Service>(
  name: string,
  make: () => Made,
): Service & { readonly made: () => Made | undefined } => {
  let made: Made | undefined;
  return {
    name,
    made: () => made,
    notReady: () => made?.notReady() ?? [`${name} has not been started`],
    observing: () => made?.observing?.() ?? [],
    targets: () => made?.targets?.() ?? [],
    start: async () => {
      made = make();
      await made.start();
    },
    stop: async () => made?.stop(),
  };
};
