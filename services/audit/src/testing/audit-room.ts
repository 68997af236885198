/** A started audit room over a log and a store that the test owns. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import { type Room, silentLogger, systemClock } from '@postern/runtime';
import { noTelemetry } from '@postern/telemetry';
import {
  type Anchors,
  type AskPast,
  type AuditConfig,
  type AuditDeps,
  auditService,
  type Get,
  makeSigningKey,
  parseSigningKeys,
  type SigningKeys,
} from '../app.ts';
import { type Gate, testGate } from './caller.ts';

export type AuditRoom = AsyncDisposable & {
  readonly service: Room;
  readonly gate: Gate;
  /** The public formats of one log, through the room's own API. */
  readonly log: (name: 'facts' | 'decisions') => Get;
  /** Lines that the room tells of a log (`checkpoints`), or of what is found in it (`rows`). */
  readonly lines: (name: 'facts' | 'decisions', what: 'checkpoints' | 'rows') => AsyncIterable<string>;
  readonly vkey: (name: 'facts' | 'decisions') => Promise<string>;
  /** Resolves once both logs are sealed at these sizes. */
  readonly sealedAt: (sizes: { readonly facts: number; readonly decisions: number }) => Promise<void>;
};

const unasked = (): never => {
  throw new Error('nobody asks about the past in this test');
};

export const auditRoom = async (
  {
    eventLog,
    store,
    signingKeys = parseSigningKeys(makeSigningKey()),
    openEngine = unasked,
    askPast = unasked,
    ...more
  }: {
    readonly eventLog: Pick<EventLog, 'facts' | 'decisions' | 'quarantine'>;
    readonly store: AuditStore;
    readonly signingKeys?: SigningKeys;
    readonly anchors?: Anchors;
    readonly sealed?: NonNullable<AuditDeps['sealed']>;
    readonly openEngine?: AuditDeps['openEngine'];
    readonly askPast?: AskPast;
  },
  config: Partial<AuditConfig> = {},
): Promise<AuditRoom> => {
  const gate = testGate();
  const service = auditService(
    {
      ...more,
      eventLog,
      store,
      signingKeys,
      keys: gate.keys,
      clock: systemClock,
      log: silentLogger,
      telemetry: noTelemetry,
      openEngine,
      askPast,
    },
    { origin: 'audit.example', sealEveryMs: 10, ...config },
  );
  await service.start();
  return {
    service,
    gate,
    log: (name) => async (path) => {
      const { status, bytes } = await gate.get(service, `log/${name}/${path}`);
      return status === 200 ? new Uint8Array(bytes) : undefined;
    },
    lines: async function* (name, what) {
      const path = what === 'rows' ? `${name}?order=oldest&texts=recorded` : `log/${name}/${what}`;
      const { text } = await gate.get(service, path, 'application/x-ndjson');
      yield* text.split('\n').filter(Boolean);
    },
    vkey: async (name) => (await gate.get(service, `log/${name}/vkey`)).text,
    sealedAt: (sizes) =>
      until(
        async () =>
          (await store.reader.checkpoint('facts'))?.size === sizes.facts &&
          (await store.reader.checkpoint('decisions'))?.size === sizes.decisions,
      ),
    [Symbol.asyncDispose]: () => service.stop(),
  };
};

/** Long enough for any machine; it only ends a test that waits in vain. */
const patienceMs = 30_000;

/** Waits for something that has no event to wait for. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const begin = systemClock.elapsed(); !(await holds()); await pause(5))
    if (systemClock.elapsed() - begin > patienceMs) throw new Error(`waited in vain until ${holds}`);
};
