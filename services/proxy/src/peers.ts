/** The other proxies' public keys, as their heartbeats tell them: an API may meet an assertion of any of them. */
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
  readonly jwks: () => { readonly keys: readonly PublicKey[] };
  /** Resolves when `signal` aborts. */
  readonly follow: (enforcement: Pick<EventLog['enforcement'], 'follow'>, signal: AbortSignal) => Promise<void>;
};

export const peers = (own: PublicKey, { clock, log }: { clock: Clock; log: Logger }): Peers => {
  const keys = new Map<string, { readonly key: PublicKey; readonly seenAt: number }>();
  const see = (bytes: Uint8Array): void => {
    try {
      const { kty, crv, x, kid } = Jwk.parse(Heartbeat.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).jwk);
      if (kid !== own.kid)
        keys.set(kid, { key: { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }, seenAt: clock.elapsed() });
    } catch (error) {
      log.warn({ err: error }, 'a heartbeat cannot be read');
    }
  };
  return {
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
