/** `postern up`: every room in one process, the log and its record in a thread of their own. The wiring diagram of the product; what is opened here is closed in reverse order. */
import { authorizerService } from '@postern/authorizer/app';
import { consoleOrigins, consoleService, sealKeyOf } from '@postern/console/app';
import { openInboundFeed } from '@postern/event-log/open';
import { grantsService, loadSettings, recordAt, schemaCheck } from '@postern/grants/app';
import { sealedTexts } from '@postern/profiles';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import {
  gatewaysOf,
  graphQlServices,
  observedServices,
  openJournal,
  proxyService,
  upstreamsOf,
} from '@postern/proxy/app';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  configuredCountries,
  dataFolder,
  httpListener,
  keptIn,
  type LoadedConfig,
  type Logger,
  mistakeText,
  openLogger,
  persistedDocuments,
  profilesUrl,
  readTlsFiles,
  relationshipsUrl,
  reloading,
  requireFree,
  run,
  type Service,
  systemClock,
  tlsFiles,
} from '@postern/runtime';
import { authzenConfiguration } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import { openTelemetry } from '@postern/telemetry/open';
import { exitCodes } from './failure.ts';
import { openRecordRoom } from './record/room.ts';

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
  const { config } = loaded;
  const data = dataFolder(loaded);
  const settings = loadSettings(loaded);
  const log = openLogger(config.log.level, 'postern');
  for (const note of settings.model.notes) log.warn(mistakeText(note));
  if (config.workers > 1)
    log.warn('workers counts for postern serve proxy; here one gate shares the process with all else');
  const clock = systemClock;
  const tls = await readTlsFiles(loaded, clock.now());
  // Looked at first, because the proxy takes its address last: a start that cannot succeed leaves nothing behind.
  const gateways = await gatewaysOf(loaded);
  const further = [config.h2c ?? [], gateways.extAuthz ?? []].flat();
  for (const address of [config.listen, config.health, ...further]) await requireFree(address);

  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern', otlp: config.telemetry.otlp }));
  const onLost = (why: string): void => {
    log.fatal(`the record's thread ${why}; nothing can be recorded any more, so this process ends`);
    process.exit(exitCodes.refused);
  };
  const record = stack.use(await openRecordRoom(loaded, { telemetry, onLost }));
  const { eventLog } = record;
  const engine = stack.use(await openRelationships(relationshipsUrl(loaded), { telemetry }));
  const profiles = stack.use(await openProfileStore(profilesUrl(loaded)));
  const sealed = stack.use(await openSealedStore(profilesUrl(loaded)));

  let adminKey: string | undefined;
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const authorizer = authorizerService(
    { facts: eventLog.facts, engine, keys, clock, telemetry, log, texts: sealedTexts(sealed) },
    {},
  );
  const grants = grantsService(
    {
      eventLog,
      openFeed: openInboundFeed,
      profiles,
      sealed,
      keys,
      clock,
      telemetry,
      log,
      checkSchema: schemaCheck(() => openRelationships('embedded:')),
      record: recordAt(record.audit.url),
    },
    {
      ...settings,
      publishedByCommand: config.model.publish === 'by-command',
      enforceTimeoutMs: 2 * config.leaseMs,
      administratorKey: keptIn(`${data}/admin.key`, (secret) => {
        adminKey = secret;
      }),
      scim: config.scim,
    },
  );
  const console = consoleService(
    { keys, clock, log, telemetry, sealKey: () => sealKeyOf(loaded) },
    {
      secure: tls !== undefined,
      origins: consoleOrigins(loaded),
      sessionHoursMax: config.console.sessionHoursMax,
      issuers: config.issuers,
    },
  );
  const listeners = {
    console: httpListener(console, loopback),
    authorizer: httpListener(authorizer, loopback),
    grants: httpListener(grants, loopback),
  };

  const journal = stack.use(openJournal(`${data}/decisions`));
  let countries = await configuredCountries(loaded);

  // The rooms take their ports when they start, so the proxy, which starts last, is made when they are known.
  const roomUrls = () => ({
    authorizer: listeners.authorizer.url(),
    audit: record.audit.url(),
    grants: listeners.grants.url(),
    console: listeners.console.url(),
  });
  const proxy = startedLast('proxy', () =>
    proxyService(
      {
        eventLog,
        decisionPoint: authorizer,
        clock,
        telemetry,
        log,
        journal,
        countryOf: (ip) => countries(ip),
        authzenConfiguration: () => authzenConfiguration(`${tls === undefined ? 'http' : 'https'}://${config.listen}`),
      },
      {
        instance: 'proxy',
        listen: config.listen,
        upstreams: upstreamsOf(config.services, roomUrls(), persistedDocuments(loaded)),
        observed: observedServices(config.services),
        issuers: config.issuers,
        ...(tls !== undefined && { tls }),
        ...(config.h2c !== undefined && { h2c: config.h2c }),
        trustedProxies: config.trustedProxies,
        gateways,
        leaseMs: config.leaseMs,
        cachedDecisionsMax: config.cachedDecisionsMax,
        drain: config.drain,
        recording: config.recording,
      },
    ),
  );
  const reload = reloading({
    file: loaded.file,
    log,
    beside: tlsFiles,
    onReload: async (fresh) => {
      const material = await readTlsFiles(fresh, clock.now());
      const found = await configuredCountries(fresh);
      const persisted = persistedDocuments(fresh);
      await grants.reconfigure(loadSettings(fresh));
      countries = found;
      if (material !== undefined) proxy.made()?.configureTls(material);
      proxy.made()?.configureGraphQl(graphQlServices(fresh.config.services, persisted));
      proxy.made()?.configureIssuers(fresh.config.issuers);
      console.configureIssuers(fresh.config.issuers);
      proxy.made()?.configureObserved(observedServices(fresh.config.services));
      proxy.made()?.configureUpstreams(upstreamsOf(fresh.config.services, roomUrls(), persisted));
      proxy.made()?.configureTrustedProxies(fresh.config.trustedProxies);
    },
  });

  await run({
    services: [
      ...((await beside?.(log)) ?? []),
      keys,
      authorizer,
      record.audit,
      grants,
      console,
      ...Object.values(listeners),
      proxy,
      ...(reloads ? [reload] : []),
    ],
    health: config.health,
    telemetry: { ...telemetry, metrics: withPart(telemetry.metrics, record.metrics) },
    log,
    stopTimeoutMs: config.drain.delayMs + config.drain.timeoutMs + 15_000,
    onReady: () => onReady({ gate: `${tls === undefined ? 'http' : 'https'}://${config.listen}`, adminKey, data }),
  });
};

/** Both threads' numbers as one text: their names differ, since their rooms do. */
const withPart = (metrics: Telemetry['metrics'], part: () => Promise<string>): Telemetry['metrics'] => ({
  ...metrics,
  exposition: async () => {
    const { contentType, text } = await metrics.exposition();
    return { contentType, text: `${text}${await part()}` };
  },
});

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
