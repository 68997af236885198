/** `postern serve audit`: the room by itself. */
import { openAuditStore } from '@postern/audit-store/open';
import { openEventLog } from '@postern/event-log/open';
import { openSealedStore } from '@postern/profiles/open';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  auditStoreUrl,
  eventLogUrl,
  httpListener,
  type LoadedConfig,
  openLogger,
  profilesUrl,
  run,
  systemClock,
} from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { type AskPast, auditParts, auditService } from './app.ts';

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig, askPast: AskPast): Promise<void> => {
  const { config } = loaded;
  const log = openLogger(config.log.level, 'postern-audit');
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-audit', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const store = stack.use(await openAuditStore(auditStoreUrl(loaded), telemetry, config.audit.owner));
  const sealed = profilesUrl(loaded).startsWith('memory:')
    ? undefined
    : stack.use(await openSealedStore(profilesUrl(loaded)));
  const parts = await auditParts(loaded);
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const audit = auditService(
    {
      ...parts.deps,
      // What is in memory is in another thread's memory.
      ...(sealed !== undefined && { sealed }),
      eventLog,
      store,
      keys,
      clock,
      log,
      telemetry,
      openEngine: () => openRelationships('embedded:'),
      askPast,
    },
    parts.config,
  );
  await run({
    services: [keys, audit, httpListener(audit, config.rooms.listen)],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.rooms.listen }, 'ready'),
  });
};
