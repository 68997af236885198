/** The audit room: takes both logs into the record, seals it, and answers from it with proofs. */
import type { AuditStore, LogName } from '@postern/audit-store';
import { logNames } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import { type SealedStore, sealedTexts } from '@postern/profiles';
import type { Relationships } from '@postern/relationships';
import {
  type AssertionKeys,
  type Clock,
  httpApp,
  type Logger,
  type Room,
  requireAssertion,
  showTextsIn,
} from '@postern/runtime';
import { posternMount, posternService } from '@postern/schemas';
import type { NoteKey } from '@postern/schemas/tlog';
import type { Telemetry } from '@postern/telemetry';
import type { Anchors } from './anchor.ts';
import { type AskPast, past } from './as-of/past.ts';
import { asOfRoute } from './as-of/routes.ts';
import { exportRoute } from './export/routes.ts';
import { ingest } from './ingest.ts';
import { decisionsSource } from './ingest-decisions.ts';
import { factsSource } from './ingest-facts.ts';
import { liveRoutes } from './live/routes.ts';
import { questionRoutes } from './questions/routes.ts';
import { noteReadings } from './readings/hooks.ts';
import { type KeepingConfig, keeping } from './readings/keeping.ts';
import { type RetentionConfig, retention } from './retention/retention.ts';
import { retentionRoutes } from './retention/routes.ts';
import { logRoutes } from './routes/log.ts';
import { lastUseRoute, recordRoutes } from './routes/records.ts';
import { type Sealer, sealer } from './seal.ts';
import { logKeys, type SigningKeys } from './signing-key.ts';
import { logTree } from './tree.ts';
import type { OutsideWitness } from './witness/ask.ts';
import { type Witnessing, witnessing } from './witness/witnessing.ts';

export { type Anchors, fileAnchors } from './anchor.ts';
export { type AskPast, past } from './as-of/past.ts';
export { copyLog } from './copy-log.ts';
export { toOcsf } from './export/to-ocsf.ts';
export { writeParquet } from './export/to-parquet.ts';
export { verifyBundleFile } from './export/verify-file.ts';
export { filesIn, linesIn } from './files.ts';
export { auditParts } from './parts.ts';
export { appendsOf, digestOf, rebuild, rebuildChecks } from './replay/rebuild.ts';
export { verifyDecisions } from './replay/verify-decisions.ts';
export * from './signing-key.ts';
export * from './verify.ts';
export * from './witness/app.ts';
export type { OutsideWitness } from './witness/ask.ts';

export type AuditDeps = {
  readonly eventLog: Pick<EventLog, 'facts' | 'decisions' | 'quarantine'>;
  readonly store: AuditStore;
  /** Whose assertions are believed. */
  readonly keys: AssertionKeys;
  /** Sign the checkpoints of both logs; {@link parseSigningKeys} reads them. */
  readonly signingKeys: SigningKeys;
  /** Where the newest checkpoints are kept outside the store; left out, a restored backup is believed. */
  readonly anchors?: Anchors;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** The texts of facts, as long as they are kept; left out, rows show the commitments. */
  readonly sealed?: Pick<SealedStore, 'find'>;
  /** An empty engine, opened at the first question about the past. */
  readonly openEngine: () => Promise<Relationships>;
  /** The authorizer's questions: the past is judged by the same code as the present. */
  readonly askPast: AskPast;
};

export type AuditConfig = {
  /** The logs are named `<origin>/facts` and `<origin>/decisions`: a schemeless URL, for instance audit.example.com. */
  readonly origin: string;
  /** Witnesses outside, and how many of them make a checkpoint witnessed. */
  readonly witnesses?: readonly OutsideWitness[];
  readonly quorum?: number;
  readonly witnessEveryMs?: number;
  readonly sealEveryMs?: number;
  readonly sealAtLeastEveryMs?: number;
  readonly entriesCheckedAtStart?: number;
  /** Reading the record, and the beginning and end of recording, are facts; left out, none is written. */
  readonly keeping?: KeepingConfig;
  /** How long the logs are kept; left out, for ever, and nothing is told of it. */
  readonly retention?: RetentionConfig;
};

const defaults = { sealEveryMs: 1_000, sealAtLeastEveryMs: 600_000, entriesCheckedAtStart: 10_000 };

export const auditService = (deps: AuditDeps, config: AuditConfig): Room => {
  const { eventLog, store, keys, signingKeys, anchors, clock, log, telemetry, openEngine, askPast, sealed } = deps;
  const texts = sealed && sealedTexts(sealed);
  const stopping = new AbortController();
  const background: Promise<void>[] = [];
  const ingests = [
    ingest({ store, clock, log, telemetry }, factsSource(eventLog.facts)),
    ingest({ store, clock, log, telemetry }, decisionsSource({ ...eventLog, reader: store.reader, clock })),
  ];
  const trees = { facts: logTree(store.reader, 'facts'), decisions: logTree(store.reader, 'decisions') };
  const known = new Map<LogName, readonly NoteKey[]>();
  const ago = past({ entries: store.reader, openEngine, askPast });
  const sealers: Sealer[] = [];
  const witnessed: Witnessing[] = [];
  const { witnesses = [] } = config;
  const quorum = config.quorum ?? Math.max(1, witnesses.length);

  const kept = config.keeping && keeping({ facts: eventLog.facts, store, clock, log }, config.keeping);

  const keptFor = retention(
    { facts: eventLog.facts, store, tree: trees.decisions, clock, log },
    config.retention ?? { policy: { facts: 'forever', decisions: 'forever' } },
  );

  const app = httpApp({ log, telemetry });
  requireAssertion(app, posternService, keys);
  const logs = logNames.map((name) => ({
    name,
    tree: trees[name],
    quorum,
    keys: () => {
      const keysOf = known.get(name);
      if (keysOf === undefined) throw new Error('the audit room has not been started');
      return keysOf;
    },
  }));
  void app.register(
    async (routes) => {
      if (kept) noteReadings(routes, kept.readings);
      showTextsIn(routes, texts);
      recordRoutes(routes, store.reader, texts);
      lastUseRoute(routes, store.reader);
      liveRoutes(routes, { reader: store.reader, clock, signal: stopping.signal });
      asOfRoute(routes, { reader: store.reader, past: ago, clock });
      questionRoutes(routes, { reader: store.reader, past: ago, trees, openEngine, clock });
      exportRoute(routes, { reader: store.reader, past: ago, trees, openEngine, clock, logs, sealed });
      retentionRoutes(routes, { retention: keptFor, reader: store.reader, facts: trees.facts });
      logRoutes(routes, { reader: store.reader, logs });
    },
    { prefix: `${posternMount}/audit` },
  );

  return {
    name: 'audit',
    http: app,
    start: async () => {
      for (const name of logNames) {
        const ofLog = await logKeys(`${config.origin}/${name}`, signingKeys);
        known.set(name, ofLog.known);
        const seals = sealer({ store, tree: trees[name], keys: ofLog, anchors, clock, log, telemetry }, name, {
          ...defaults,
          ...config,
        });
        sealers.push(seals);
        background.push(seals.run(stopping.signal));
        if (witnesses.length > 0) {
          const deps = { store, tree: trees[name], clock, log, telemetry };
          const asks = witnessing(deps, name, { witnesses, quorum, everyMs: config.witnessEveryMs ?? 5_000 });
          witnessed.push(asks);
          background.push(asks.run(stopping.signal));
        }
      }
      for (const one of ingests) background.push(one.run(stopping.signal));
      if (config.retention) background.push(keptFor.run(stopping.signal));
      if (kept)
        background.push(kept.run(stopping.signal, () => [...sealers, ...ingests].flatMap((part) => part.notReady())));
    },
    notReady: () =>
      sealers.length === 0
        ? ['the audit room has not been started']
        : [...sealers, ...ingests].flatMap((part) => part.notReady()),
    watched: () => witnessed.flatMap((each) => each.watched()),
    stop: async () => {
      // While the log is still taken in: the end of recording stands in the record too.
      await kept?.end();
      stopping.abort();
      await Promise.allSettled(background);
      // What was taken in last is signed before the room closes; where that fails, the next start does it.
      await Promise.allSettled(sealers.map((one) => one.seal()));
      await app.close().catch(() => {});
      await ago[Symbol.asyncDispose]();
    },
  };
};
