/** Fetches security events (RFC 8936). What is durable here is acknowledged with the next request; what is not comes again. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@postern/runtime';
import { systemActor, type Transmitter } from '@postern/schemas';
import { z } from 'zod';
import type { Receiver } from './receiver.ts';
import type { Streams } from './streams.ts';
import type { SetError } from './verify.ts';

const Polled = z.looseObject({
  sets: z.record(z.string(), z.string()).default({}),
  moreAvailable: z.boolean().default(false),
});

export type PollDeps = { readonly receiver: Receiver; readonly streams: Streams; readonly log: Logger };

/** A transmitter may hold a request that long. */
const holdMs = 60_000;
const afterFailureMs = 5_000;

/** Resolves when `signal` aborts. */
export const pollTransmitter = async (
  { name, poll }: Transmitter,
  { receiver, streams, log }: PollDeps,
  signal: AbortSignal,
): Promise<void> => {
  if (poll === undefined) return;
  let ack: string[] = [];
  let setErrs: Record<string, SetError> = {};
  const ask = async (last: boolean) => {
    const authorization =
      poll.authorizationFile === undefined ? undefined : (await readFile(poll.authorizationFile, 'utf8')).trim();
    const response = await fetch(poll.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(authorization && { authorization }),
      },
      body: JSON.stringify({
        maxEvents: last ? 0 : poll.maxEvents,
        returnImmediately: last || !poll.longPoll || ack.length > 0 || Object.keys(setErrs).length > 0,
        ...(ack.length > 0 && { ack }),
        ...(Object.keys(setErrs).length > 0 && { setErrs }),
      }),
      redirect: 'error',
      signal: last ? AbortSignal.timeout(1_000) : AbortSignal.any([signal, AbortSignal.timeout(holdMs)]),
    });
    if (!response.ok) throw new Error(`${poll.endpoint} answered ${response.status}`);
    const polled = Polled.parse(await response.json());
    ack = [];
    setErrs = {};
    return polled;
  };

  while (!signal.aborted) {
    let pauseMs = 0;
    try {
      const { sets, moreAvailable } = await ask(false);
      streams.polled(name, undefined);
      for (const [jti, token] of Object.entries(sets)) {
        const delivered = await receiver.receive(token, systemActor(`ssf/${name}`));
        if (delivered.outcome === 'accepted') ack.push(jti);
        else setErrs[jti] = delivered.error;
      }
      const settled = ack.length + Object.keys(setErrs).length;
      if (settled === 0 && !moreAvailable) pauseMs = poll.pauseMs;
    } catch (error) {
      if (signal.aborted) break;
      // A request that was held and ended with nothing is no trouble.
      const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
      if (!timedOut) {
        streams.polled(name, error instanceof Error ? error.message : String(error));
        log.warn({ err: error, name }, 'security events could not be fetched');
      }
      pauseMs = timedOut ? 0 : afterFailureMs;
    }
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
  if (ack.length > 0 || Object.keys(setErrs).length > 0) await ask(true).catch(() => {});
};
