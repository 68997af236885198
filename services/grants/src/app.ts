/** The grants room (PAP): commands and inbound events become facts; nothing else in Postern writes one. */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { EventLog, Stranger } from '@postern/event-log';
import type { ProfileStore } from '@postern/profiles';
import { type AssertionKeys, type Clock, httpApp, type Logger, type Room, requireAssertion } from '@postern/runtime';
import { openApiDocument, posternMount, posternService, type Transmitter } from '@postern/schemas';
import { metrics, type Telemetry } from '@postern/telemetry';
import { proxyBarrier } from './barrier.ts';
import { commandHandler, turns } from './commands.ts';
import { enforcementTimes } from './enforcement-times.ts';
import { enforcer } from './enforcer.ts';
import { enact } from './feeds/enactor.ts';
import { intake } from './feeds/intake.ts';
import { mappings } from './feeds/mappings.ts';
import { quarantine } from './feeds/quarantine.ts';
import { feedTopics, type OpenFeed } from './feeds/topics.ts';
import { type AdministratorKey, firstStart } from './first-start.ts';
import { successionHandler } from './in-succession.ts';
import { type NoticesDeps, notices } from './notices/notices.ts';
import { noticeRoutes } from './notices/routes.ts';
import { type Model, publishInstallation } from './publish.ts';
import { recordAt, type UsageRecord } from './reports/record.ts';
import { reportRoutes } from './reports/routes.ts';
import { breakGlassRoutes } from './requests/break-glass-routes.ts';
import { loudBreakGlass } from './requests/loud.ts';
import { requestRoutes } from './requests/routes.ts';
import { upkeep } from './requests/upkeep.ts';
import { reviewRoutes } from './reviews/routes.ts';
import { eventRoutes } from './routes/events.ts';
import { feedRoutes } from './routes/feeds.ts';
import { grantRoutes } from './routes/grants.ts';
import { keyRoutes } from './routes/keys.ts';
import { liveRoutes } from './routes/live.ts';
import { modelRoutes } from './routes/model.ts';
import { principalRoutes } from './routes/principals.ts';
import { roleRoutes } from './routes/roles.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { ssfRoutes } from './routes/ssf.ts';
import { runningSet } from './running-set.ts';
import type { CheckSchema } from './schema-check.ts';
import type { ScimConfig } from './scim/people.ts';
import { scimRoutes } from './scim/routes.ts';
import type { GrantsSettings } from './settings.ts';
import { pollTransmitter } from './signals/poll.ts';
import { receiver } from './signals/receiver.ts';
import { signalStreams } from './signals/streams.ts';
import { grantsState } from './state.ts';
import { togetherHandler } from './together.ts';

export { decide as decideCommand } from './decide/decide.ts';
export { mappings } from './feeds/mappings.ts';
export { type FeedRule, loadFeedRules, readFeedRules } from './feeds/rules.ts';
export type { AdministratorKey } from './first-start.ts';
export { loadNotices } from './notices/load.ts';
export type { Model } from './publish.ts';
export { recordAt } from './reports/record.ts';
export { schemaCheck } from './schema-check.ts';
export { type GrantsSettings, loadSettings } from './settings.ts';
export { loadTransmitters } from './signals/load.ts';

export type GrantsDeps = {
  readonly eventLog: Pick<EventLog, 'facts' | 'enforcement' | 'quarantine'>;
  readonly openFeed: OpenFeed;
  /** What SCIM's clients write of people and groups, beside the facts. */
  readonly profiles: ProfileStore;
  readonly keys: AssertionKeys;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /** Asked before a changed schema becomes a fact. */
  readonly checkSchema: CheckSchema;
  /** What was used; left out, reports and reviews that need it say so. */
  readonly record?: UsageRecord;
  /** How long receivers of notices are left alone, and who delivers for how long; left out, as usual. */
  readonly noticePace?: Pick<NoticesDeps, 'pace' | 'lease'>;
};

export type GrantsConfig = Partial<GrantsSettings> & {
  /** Published at the start where it differs from what is live. */
  readonly model: Model;
  /** A pipeline publishes (`postern publish`): the files here fill an empty log and are not looked at again. */
  readonly publishedByCommand?: boolean;
  /** How long `wait=enforced` waits before it answers 504. */
  readonly enforceTimeoutMs: number;
  readonly administratorKey: AdministratorKey;
  readonly scim: ScimConfig;
};

export type GrantsService = Room & {
  /**
   * Goes over to a changed configuration: publishes changed model files, then takes in all the rest. Rejects with the refusal's problem, or
   * where something named cannot be reached; what was published before it stays, and nothing else has changed.
   */
  readonly reconfigure: (settings: GrantsSettings) => Promise<void>;
};

/** What time asks for is carried out this often; a grant or key that has run out refuses at once. */
const upkeepEveryMs = 60_000;

export const grantsService = (
  {
    eventLog,
    openFeed,
    profiles,
    keys,
    clock,
    telemetry,
    log,
    checkSchema,
    record = recordAt(() => undefined),
    noticePace = {},
  }: GrantsDeps,
  config: GrantsConfig,
): GrantsService => {
  const stopping = new AbortController();
  const background: Promise<unknown>[] = [];
  let publishing: string | undefined = 'the model has not been published yet';

  const head = telemetry.metrics.gauge(metrics.head, 'The last fact that this instance has taken in');
  const state = grantsState(eventLog.facts, {
    onStrangers: (strangers) => keepAside(strangers),
    onNews: (facts) => {
      head(state.organisation.sequence);
      loud.observe(facts);
      enforcement.observe(facts);
      times.observe(facts);
    },
  });
  const times = enforcementTimes(clock);
  const loud = loudBreakGlass(() => state, telemetry, log);
  const carryingOut = { facts: eventLog.facts, state, clock, telemetry, turns: turns() };
  const commands = commandHandler(carryingOut);
  const fed = telemetry.metrics.counter(metrics.feedMessages, 'Messages of feeds that were settled', ['topic']);
  const count = telemetry.metrics.counter(metrics.quarantined, 'Events that could not be applied and were set aside');
  const aside = quarantine(eventLog.quarantine, commands, state, () => count(1));
  const foreign = mappings(config.feedRules ?? []);
  const taking = intake({
    ...{ commands, clock },
    inSuccession: successionHandler(carryingOut),
    quarantine: aside,
    mappings: foreign,
  });
  const { transmitters = [] } = config;
  const streams = signalStreams(transmitters, { clock, log });
  const signals = receiver({ transmitters, commands, state, quarantine: aside, streams, clock, log });
  const polling = runningSet<Transmitter>((transmitter, signal) =>
    pollTransmitter(transmitter, { receiver: signals, streams, log }, signal).catch((error) => {
      if (!signal.aborted) log.error({ err: error }, `polling ${transmitter.name} ended`);
    }),
  );
  const pollAll = (all: readonly Transmitter[]): void =>
    polling.configure(new Map(all.map((each) => [each.name, each])));
  const topics = feedTopics(openFeed, { intake: taking, settled: (messages, topic) => fed(messages, { topic }), log });
  const told = notices(config.notices ?? [], {
    facts: eventLog.facts,
    store: profiles,
    head: () => state.organisation.sequence,
    clock,
    telemetry,
    log,
    ...noticePace,
  });
  const barrier = proxyBarrier(eventLog.enforcement, clock, times.heard);
  const enforcement = enforcer({ barrier, commands, clock, telemetry, log }, config.enforceTimeoutMs);

  const keepAside = (strangers: readonly Stranger[]): void => {
    for (const { bytes, position, why } of strangers.filter(
      (stranger) => state.handled('/postern/quarantine/facts', stranger.position) === undefined,
    ))
      background.push(
        aside
          .setAside({ from: 'facts', position, bytes, why })
          .catch((error) =>
            log.error(
              { err: error, position, digest: createHash('sha256').update(bytes).digest('hex') },
              'a stranger in the facts log could not be put into quarantine',
            ),
          ),
      );
  };

  const app = httpApp({ log, telemetry });
  requireAssertion(app, posternService, keys);
  void app.register(
    async (routes) => {
      const deps = {
        commands,
        state,
        clock,
        enforcer: enforcement,
        intake: taking,
        quarantine: aside,
        receiver: signals,
        streams,
      };
      grantRoutes(routes, deps);
      roleRoutes(routes, deps);
      principalRoutes(routes, deps);
      keyRoutes(routes, { ...deps, record });
      eventRoutes(routes, deps);
      feedRoutes(routes, deps);
      ssfRoutes(routes, deps);
      sessionRoutes(routes, deps);
      requestRoutes(routes, deps);
      breakGlassRoutes(routes, deps);
      reviewRoutes(routes, { ...deps, record });
      reportRoutes(routes, { ...deps, record });
      noticeRoutes(routes, { notices: told });
      liveRoutes(routes, { state, times });
      modelRoutes(routes, { ...deps, checkSchema });
      scimRoutes(routes, { ...deps, profiles, together: togetherHandler(carryingOut) }, config.scim);
      routes.get('/openapi.json', async () => openApiDocument());
    },
    { prefix: posternMount },
  );

  const publishFiles = (model: Model): Promise<void> =>
    publishInstallation({ commands, state, checkSchema }, model, {
      byCommand: config.publishedByCommand ?? false,
      log,
    });
  const inBackground = (name: string, work: Promise<unknown>): void => {
    background.push(
      work.catch((error) => {
        if (!stopping.signal.aborted) log.error({ err: error }, `${name} ended`);
      }),
    );
  };

  return {
    name: 'grants',
    http: app,
    reconfigure: async ({ model, feedRules, transmitters: others, notices: subscriptions, feeds }) => {
      const goOver = signals.prepare(others);
      const prepared = await topics.prepare(feeds);
      try {
        await publishFiles(model);
      } catch (error) {
        await prepared.discard();
        throw error;
      }
      foreign.configure(feedRules);
      streams.configure(others);
      goOver();
      pollAll(others);
      prepared.use();
      told.configure(subscriptions);
    },
    watched: loud.watched,
    notReady: () => [state.notReady(), publishing].filter((trouble) => trouble !== undefined),
    start: async () => {
      const began = Promise.withResolvers<void>();
      const followed = state.follow(stopping.signal);
      followed.catch(began.reject);
      inBackground('following the facts', followed);
      inBackground('following the proxies', barrier.follow(stopping.signal));
      const whenRead = setInterval(() => {
        head(state.organisation.sequence);
        if (state.notReady() === undefined) began.resolve();
      }, 5);
      await began.promise.finally(() => clearInterval(whenRead));
      await publishFiles(config.model);
      await firstStart(commands, state, config.administratorKey);
      publishing = undefined;
      (await topics.prepare(config.feeds ?? [])).use();
      inBackground('scheduled events', enact({ commands, state, quarantine: aside, clock, log }, stopping.signal));
      pollAll(transmitters);
      told.start();
      inBackground('upkeep', keepUp());
    },
    stop: async () => {
      stopping.abort();
      await app.close();
      await Promise.all([enforcement.stop(), topics.stop(), polling.stop(), told.stop()]);
      await foreign[Symbol.asyncDispose]();
      await Promise.allSettled(background);
    },
  };

  async function keepUp(): Promise<void> {
    while (!stopping.signal.aborted) {
      head(state.organisation.sequence);
      loud.count();
      await upkeep(commands, log);
      await setTimeout(upkeepEveryMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
};
