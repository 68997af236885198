/** `postern serve grants`: the room by itself. */
import { openEventLog, openInboundFeed } from '@postern/event-log/open';
import { openProfileStore } from '@postern/profiles/open';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  dataFolder,
  eventLogUrl,
  httpListener,
  keptIn,
  type LoadedConfig,
  loadModel,
  openLogger,
  profilesUrl,
  reloading,
  run,
  systemClock,
} from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { grantsService, loadFeedRules, loadTransmitters, recordAt, schemaCheck } from './app.ts';

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const { config } = loaded;
  const model = loadModel(loaded);
  const feedRules = loadFeedRules(loaded);
  const transmitters = loadTransmitters(loaded);
  const log = openLogger(config.log.level, 'postern-grants');
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-grants', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const profiles = stack.use(await openProfileStore(profilesUrl(loaded)));
  const feeds = [];
  for (const { kafka, group, rule } of config.feeds)
    feeds.push({ feed: stack.use(await openInboundFeed(kafka, group)), rule });
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const grants = grantsService(
    {
      eventLog,
      feeds,
      profiles,
      keys,
      clock,
      telemetry,
      log,
      checkSchema: schemaCheck(() => openRelationships('embedded:')),
      record: recordAt(() => config.rooms.audit?.replace(/\/$/, '')),
    },
    {
      model,
      feedRules,
      transmitters,
      publishedByCommand: config.model.publish === 'by-command',
      enforceTimeoutMs: 2 * config.leaseMs,
      administratorKey: keptIn(`${dataFolder(loaded)}/admin.key`),
      scim: config.scim,
    },
  );
  const reload = reloading({
    file: loaded.file,
    log,
    onReload: async (fresh) => {
      const rules = loadFeedRules(fresh);
      await grants.publish(loadModel(fresh));
      grants.configureFeeds(rules);
    },
  });
  await run({
    services: [keys, grants, httpListener(grants, config.rooms.listen), reload],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.rooms.listen }, 'ready'),
  });
};
