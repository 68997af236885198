/** `postern serve console`: the page and its sessions by themselves. Of the log it hears the gates' heartbeats alone, to know their keys. */
import { openEventLog } from '@postern/event-log/open';
import {
  assertionKeys,
  eventLogUrl,
  httpListener,
  type LoadedConfig,
  openLogger,
  reloading,
  run,
  systemClock,
} from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { consoleOrigins, consoleService, sealKeyOf } from './app.ts';

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const { config } = loaded;
  const log = openLogger(config.log.level, 'postern-console');
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-console', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const console = consoleService(
    { keys, clock, log, telemetry, sealKey: () => sealKeyOf(loaded) },
    {
      secure: config.tls !== undefined,
      origins: consoleOrigins(loaded),
      sessionHoursMax: config.console.sessionHoursMax,
      issuers: config.issuers,
      builtAtStart: true,
    },
  );
  const reload = reloading({
    file: loaded.file,
    log,
    onReload: async (fresh) => console.configureIssuers(fresh.config.issuers),
  });
  await run({
    services: [keys, console, httpListener(console, config.rooms.listen), reload],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.rooms.listen }, 'ready'),
  });
};
