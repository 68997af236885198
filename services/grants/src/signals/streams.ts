/** How each transmitter’s stream is, as far as this instance has heard; and asking it to verify. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Logger } from '@postern/runtime';
import { Problem, type Transmitter } from '@postern/schemas';
import { v4 } from 'uuid';
import { metadataOf } from './keys.ts';
import type { Meaning } from './meaning.ts';

export type StreamState = {
  readonly name: string;
  readonly issuer: string;
  readonly push: boolean;
  readonly poll: boolean;
  /** As a stream-updated event said, or its status endpoint; unknown until then. */
  readonly status: string;
  readonly statusReason?: string;
  /** RFC 3339. */
  readonly heardAt?: string;
  readonly verifiedAt?: string;
  readonly pollTrouble?: string;
};

export type Streams = {
  /** Those that stay keep what was heard of them. */
  readonly configure: (transmitters: readonly Transmitter[]) => void;
  readonly all: () => readonly StreamState[];
  readonly heard: (name: string, meaning: Meaning) => void;
  readonly polled: (name: string, trouble: string | undefined) => void;
  /** Resolves when the event has come; rejects with `grants/stream-not-verified` or `grants/unknown-stream`. */
  readonly verify: (name: string) => Promise<StreamState>;
};

const verifyTimeoutMs = 15_000;

export const signalStreams = (
  initial: readonly Transmitter[],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Streams => {
  let transmitters: readonly Transmitter[] = [];
  let states = new Map<string, StreamState>();
  const configure: Streams['configure'] = (all) => {
    transmitters = all;
    states = new Map(
      all.map(({ name, issuer, push, poll }) => {
        const before = states.get(name);
        const heard = before?.issuer === issuer ? before : { status: 'unknown' };
        return [name, { ...heard, name, issuer, push, poll: poll !== undefined }];
      }),
    );
  };
  configure(initial);
  const verifications = new Set<string>();
  const change = (name: string, more: Partial<StreamState>): void => {
    const state = states.get(name);
    if (state !== undefined) states.set(name, { ...state, ...more });
  };
  return {
    configure,
    all: () => [...states.values()],
    heard: (name, meaning) => {
      const now = new Date(clock.now()).toISOString();
      change(name, { heardAt: now });
      if (meaning.kind === 'verification') {
        change(name, { verifiedAt: now });
        if (meaning.state !== undefined) verifications.add(meaning.state);
      }
      if (meaning.kind !== 'stream-updated') return;
      change(name, { status: meaning.status, ...(meaning.why !== undefined && { statusReason: meaning.why }) });
      if (meaning.status !== 'enabled')
        log.error({ name, status: meaning.status, why: meaning.why }, 'a stream of security events no longer runs');
    },
    polled: (name, trouble) => {
      const before = states.get(name);
      if (before === undefined) return;
      const { pollTrouble: _, ...state } = before;
      states.set(name, { ...state, ...(trouble !== undefined && { pollTrouble: trouble }) });
    },
    verify: async (name) => {
      const transmitter = transmitters.find((each) => each.name === name);
      if (transmitter === undefined)
        throw new Problem('grants/unknown-stream', {
          detail: `there is no ${name}`,
          fix: `There are: ${transmitters.map((each) => each.name).join(', ') || 'none'}.`,
        });
      const { stream, issuer } = transmitter;
      const failed = (detail: string, cause?: unknown): Problem =>
        new Problem('grants/stream-not-verified', { detail: `${name}: ${detail}`, cause });
      if (stream === undefined) throw failed('its stream’s id is not configured');
      const authorization =
        stream.authorizationFile === undefined ? undefined : readFileSync(stream.authorizationFile, 'utf8').trim();
      const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
      const state = v4();
      try {
        const { verification_endpoint, status_endpoint } = await metadataOf(issuer);
        if (verification_endpoint === undefined) throw new Error('it has no verification endpoint');
        const asked = await fetch(verification_endpoint, {
          method: 'POST',
          headers,
          body: JSON.stringify({ stream_id: stream.id, state }),
          redirect: 'error',
          signal: AbortSignal.timeout(verifyTimeoutMs),
        });
        if (!asked.ok) throw new Error(`${verification_endpoint} answered ${asked.status}`);
        if (status_endpoint !== undefined) {
          const url = new URL(status_endpoint);
          url.searchParams.set('stream_id', stream.id);
          const signal = AbortSignal.timeout(verifyTimeoutMs);
          const told = await fetch(url, { headers, redirect: 'error', signal });
          const { status } = (told.ok ? await told.json() : {}) as { status?: unknown };
          if (typeof status === 'string') change(name, { status });
        }
      } catch (error) {
        throw failed(error instanceof Error ? error.message : String(error), error);
      }
      const end = clock.elapsed() + verifyTimeoutMs;
      while (!verifications.delete(state)) {
        if (clock.elapsed() > end) throw failed('no event with the state that was asked for came');
        await sleep(50);
      }
      return states.get(name) as StreamState;
    },
  };
};
