/** The keys that proxies sign with, as their heartbeats tell: how a room knows whom to believe without asking anybody. */
import { setTimeout } from 'node:timers/promises';
import { Heartbeat } from '@postern/schemas';
import type { AssertionKeys } from './assertion.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';

/** The enforcement stream of the event log, as far as it is needed here. */
export type HeartbeatStream = {
  readonly follow: (
    from: Readonly<Record<string, number>>,
    options: { readonly signal: AbortSignal },
  ) => AsyncIterable<{ readonly records: readonly { readonly bytes: Uint8Array }[]; readonly atEnd: boolean }>;
};

/** An assertion lives 30 s; the key of a proxy that fell silent is believed for longer than any of them could. */
const keptMs = 120_000;

export type AssertionKeysDeps = { readonly heartbeats: HeartbeatStream; readonly clock: Clock; readonly log: Logger };

export const assertionKeys = ({ heartbeats, clock, log }: AssertionKeysDeps): Service & AssertionKeys => {
  const known = new Map<string, { readonly jwk: Heartbeat['jwk']; readonly heardAt: number }>();
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let read = false;

  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        for await (const { records, atEnd } of heartbeats.follow({}, { signal: stopping.signal })) {
          for (const { bytes } of records) {
            const beat = readHeartbeat(bytes);
            if (beat) known.set(beat.instance, { jwk: beat.jwk, heardAt: clock.elapsed() });
          }
          for (const [instance, { heardAt }] of known) if (clock.elapsed() - heardAt > keptMs) known.delete(instance);
          read ||= atEnd;
        }
      } catch (error) {
        log.error({ err: error }, "the proxies' keys cannot be followed; trying again");
        await setTimeout(1_000, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };

  return {
    name: 'assertion keys',
    current: () => [...known.values()].map(({ jwk }) => jwk),
    notReady: () => (read ? [] : ["the proxies' keys have not been read yet"]),
    start: async () => {
      running = follow();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
};

export const readHeartbeat = (bytes: Uint8Array): Heartbeat | undefined => {
  try {
    return Heartbeat.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
};
