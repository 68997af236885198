/** `postern serve authorizer`: the projection and the decision point by themselves. */
import { openEventLog } from '@postern/event-log/open';
import { sealedTexts } from '@postern/profiles';
import { openSealedStore } from '@postern/profiles/open';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  eventLogUrl,
  httpListener,
  type LoadedConfig,
  openLogger,
  profilesUrl,
  relationshipsUrl,
  requireSecret,
  run,
  systemClock,
  within,
} from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { authorizerService } from './app.ts';

/** Resolves when a signal has stopped it. */
export const serve = async (loaded: LoadedConfig): Promise<void> => {
  const { config, folder } = loaded;
  const log = openLogger(config.log.level, 'postern-authorizer');
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await openTelemetry({ service: 'postern-authorizer', otlp: config.telemetry.otlp }));
  const eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  const engine = stack.use(await openRelationships(relationshipsUrl(loaded), { telemetry }));
  const sealed = stack.use(await openSealedStore(profilesUrl(loaded)));
  const token =
    config.rooms.tokenFile === undefined ? undefined : await requireSecret(within(folder, config.rooms.tokenFile));
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const authorizer = authorizerService(
    { facts: eventLog.facts, engine, keys, clock, telemetry, log, texts: sealedTexts(sealed) },
    { ...(token !== undefined && { pdpToken: token }) },
  );
  await run({
    services: [keys, authorizer, httpListener(authorizer, config.rooms.listen)],
    health: config.health,
    telemetry,
    log,
    onReady: () => log.info({ listen: config.rooms.listen }, 'ready'),
  });
};
