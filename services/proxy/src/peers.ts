/** The other proxies, as their heartbeats tell of them: their public keys, because an API may meet an assertion of any, and how many they are. */
import type { EventLog } from '@postern/event-log';
import type { Clock, Logger } from '@postern/runtime';
import { Heartbeat } from '@postern/schemas';
import { z } from 'zod';
import type { PublicKey } from './assert.ts';

/** A silent proxy's assertions are long invalid by then. */
const keptMs = 10 * 60_000;
const retryAfterMs = 1_000;

const Jwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() });

export type Peers = {
  /** How many gates serve now, as far as is heard, this one among them. */
  readonly gates: () => number;
  readonly jwks: () => { readonly keys: readonly PublicKey[] };
  /** Resolves when `signal` aborts. */
  readonly follow: (enforcement: Pick<EventLog['enforcement'], 'follow'>, signal: AbortSignal) => Promise<void>;
};

export const peers = (own: PublicKey, { clock, log }: { clock: Clock; log: Logger }): Peers => {
  const keys = new Map<string, { readonly key: PublicKey; readonly seenAt: number }>();
  /** Others, by instance → until when they are taken to serve, monotonic ms. */
  const serving = new Map<string, number>();
  const see = (bytes: Uint8Array): void => {
    try {
      const { jwk, instance, state, leaseMs } = Heartbeat.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
      const { kty, crv, x, kid } = Jwk.parse(jwk);
      if (kid === own.kid) return;
      keys.set(kid, { key: { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }, seenAt: clock.elapsed() });
      if (state === 'serving') serving.set(instance, clock.elapsed() + leaseMs);
      else serving.delete(instance);
    } catch (error) {
      log.warn({ err: error }, 'a heartbeat cannot be read');
    }
  };
  return {
    gates: () => {
      for (const [instance, until] of serving) if (clock.elapsed() > until) serving.delete(instance);
      return 1 + serving.size;
    },
    jwks: () => {
      for (const [kid, { seenAt }] of keys) if (clock.elapsed() - seenAt > keptMs) keys.delete(kid);
      return { keys: [own, ...[...keys.values()].map(({ key }) => key)] };
    },
    follow: async (enforcement, signal) => {
      while (!signal.aborted)
        try {
          for await (const { records } of enforcement.follow('end', { signal }))
            for (const { bytes } of records) see(bytes);
        } catch (error) {
          if (signal.aborted) return;
          log.warn({ err: error }, 'heartbeats cannot be followed');
          await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref());
        }
    },
  };
};
