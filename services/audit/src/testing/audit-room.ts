/** A started audit room over a log and a store that the test owns. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditStore } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import { type Room, silentLogger, systemClock } from '@postern/runtime';
import type { NoteKeyPair } from '@postern/schemas/tlog';
import { noTelemetry } from '@postern/telemetry';
import { type AuditConfig, auditService, type Get, makeSigningKey, parseSigningKey } from '../app.ts';
import { type Gate, testGate } from './caller.ts';

export type AuditRoom = AsyncDisposable & {
  readonly service: Room;
  readonly gate: Gate;
  /** The public formats of one log, through the room's own API. */
  readonly log: (name: 'facts' | 'decisions') => Get;
  readonly vkey: (name: 'facts' | 'decisions') => Promise<string>;
  /** Resolves once both logs are sealed at these sizes. */
  readonly sealedAt: (sizes: { readonly facts: number; readonly decisions: number }) => Promise<void>;
};

export const auditRoom = async (
  {
    eventLog,
    store,
    signingKey = parseSigningKey(makeSigningKey()),
  }: {
    readonly eventLog: Pick<EventLog, 'facts' | 'decisions' | 'quarantine'>;
    readonly store: AuditStore;
    readonly signingKey?: NoteKeyPair;
  },
  config: Partial<AuditConfig> = {},
): Promise<AuditRoom> => {
  const gate = testGate();
  const service = auditService(
    { eventLog, store, signingKey, keys: gate.keys, clock: systemClock, log: silentLogger, telemetry: noTelemetry },
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

/** Waits for something that has no event to wait for; a test that waits in vain is ended by its own timeout. */
export const until = async (true_: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await true_())) await pause(5);
};
