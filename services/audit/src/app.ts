/** The audit room: takes both logs into the record, seals it, and answers from it with proofs. */
import type { AuditStore, LogName } from '@postern/audit-store';
import { logNames } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import type { Relationships } from '@postern/relationships';
import { type AssertionKeys, type Clock, httpApp, type Logger, type Room, requireAssertion } from '@postern/runtime';
import { posternMount, posternService } from '@postern/schemas';
import { type NoteKeyPair, noteSigner } from '@postern/schemas/tlog';
import type { Telemetry } from '@postern/telemetry';
import { type AskPast, past } from './as-of/past.ts';
import { asOfRoute } from './as-of/routes.ts';
import { ingest } from './ingest.ts';
import { decisionsSource } from './ingest-decisions.ts';
import { factsSource } from './ingest-facts.ts';
import { questionRoutes } from './questions/routes.ts';
import { logRoutes } from './routes/log.ts';
import { lastUseRoute, recordRoutes } from './routes/records.ts';
import { type Sealer, sealer } from './seal.ts';
import { logTree } from './tree.ts';

export { type AskPast, past } from './as-of/past.ts';
export { filesIn } from './files.ts';
export { appendsOf, digestOf, rebuild, rebuildChecks } from './replay/rebuild.ts';
export { verifyDecisions } from './replay/verify-decisions.ts';
export { makeSigningKey, parseSigningKey } from './signing-key.ts';
export * from './verify.ts';

export type AuditDeps = {
  readonly eventLog: Pick<EventLog, 'facts' | 'decisions' | 'quarantine'>;
  readonly store: AuditStore;
  /** Whose assertions are believed. */
  readonly keys: AssertionKeys;
  /** Signs the checkpoints of both logs; {@link parseSigningKey} reads it. */
  readonly signingKey: NoteKeyPair;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** An empty engine, opened at the first question about the past. */
  readonly openEngine: () => Promise<Relationships>;
  /** The authorizer's questions: the past is judged by the same code as the present. */
  readonly askPast: AskPast;
};

export type AuditConfig = {
  /** The logs are named `<origin>/facts` and `<origin>/decisions`: a schemeless URL, for instance audit.example.com. */
  readonly origin: string;
  readonly sealEveryMs?: number;
  readonly sealAtLeastEveryMs?: number;
  readonly entriesCheckedAtStart?: number;
};

const defaults = { sealEveryMs: 1_000, sealAtLeastEveryMs: 600_000, entriesCheckedAtStart: 10_000 };

export const auditService = (deps: AuditDeps, config: AuditConfig): Room => {
  const { eventLog, store, keys, signingKey, clock, log, telemetry, openEngine, askPast } = deps;
  const stopping = new AbortController();
  const background: Promise<void>[] = [];
  const ingests = [
    ingest({ store, clock, log, telemetry }, factsSource(eventLog.facts)),
    ingest({ store, clock, log, telemetry }, decisionsSource({ ...eventLog, clock })),
  ];
  const trees = { facts: logTree(store.reader, 'facts'), decisions: logTree(store.reader, 'decisions') };
  const ago = past({ entries: store.reader, openEngine, askPast });
  const signers = new Map<LogName, Awaited<ReturnType<typeof noteSigner>>>();
  const sealers: Sealer[] = [];

  const app = httpApp({ log, telemetry });
  requireAssertion(app, posternService, keys);
  const logs = logNames.map((name) => ({
    name,
    tree: trees[name],
    key: () => {
      const signer = signers.get(name);
      if (signer === undefined) throw new Error('the audit room has not been started');
      return signer;
    },
  }));
  void app.register(
    async (routes) => {
      recordRoutes(routes, store.reader);
      lastUseRoute(routes, store.reader);
      asOfRoute(routes, { reader: store.reader, past: ago, clock });
      questionRoutes(routes, { reader: store.reader, past: ago, trees, openEngine, clock });
      logRoutes(routes, { reader: store.reader, logs });
    },
    { prefix: `${posternMount}/audit` },
  );

  return {
    name: 'audit',
    http: app,
    start: async () => {
      for (const name of logNames) {
        const signer = await noteSigner(`${config.origin}/${name}`, signingKey);
        signers.set(name, signer);
        const seals = sealer({ store, tree: trees[name], signer, clock, log, telemetry }, name, {
          ...defaults,
          ...config,
        });
        sealers.push(seals);
        background.push(seals.run(stopping.signal));
      }
      for (const one of ingests) background.push(one.run(stopping.signal));
    },
    notReady: () =>
      sealers.length === 0
        ? ['the audit room has not been started']
        : [...sealers, ...ingests].flatMap((part) => part.notReady()),
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(background);
      // What was taken in last is signed before the room closes; where that fails, the next start does it.
      await Promise.allSettled(sealers.map((one) => one.seal()));
      await app.close().catch(() => {});
      await ago[Symbol.asyncDispose]();
    },
  };
};
