/** `postern serve grants`: the room by itself. */
import { openEventLog, openInboundFeed } from '@postern/event-log/open';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  dataFolder,
  eventLogUrl,
  httpListener,
  keptIn,
  type LoadedConfig,
  openLogger,
  profilesUrl,
  reloading,
  run,
  systemClock,
} from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { grantsService, loadSettings, recordAt, schemaCheck } from './app.ts';

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const { config } = loaded;
  const settings = loadSettings(loaded);
  const log = openLogger(config.log.level, 'postern-grants');
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-grants', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const profiles = stack.use(await openProfileStore(profilesUrl(loaded)));
  const sealed = stack.use(await openSealedStore(profilesUrl(loaded)));
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
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
      record: recordAt(() => config.rooms.audit?.replace(/\/$/, '')),
    },
    {
      ...settings,
      publishedByCommand: config.model.publish === 'by-command',
      enforceTimeoutMs: 2 * config.leaseMs,
      administratorKey: keptIn(`${dataFolder(loaded)}/admin.key`),
      scim: config.scim,
    },
  );
  const reload = reloading({
    file: loaded.file,
    log,
    onReload: (fresh) => grants.reconfigure(loadSettings(fresh)),
  });
  await run({
    services: [keys, grants, httpListener(grants, config.rooms.listen), reload],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.rooms.listen }, 'ready'),
  });
};
