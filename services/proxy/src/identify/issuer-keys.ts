/**
 * An issuer's signing keys: from a URL, a file or OpenID discovery. A key that is not known is looked for at once, so that a token
 * signed with a fresh key is good from the first moment. Searches that find nothing new make the next ones rarer, up to one in the
 * cooldown, so that forged key ids cannot make the gate hammer the issuer; a token whose key may not be looked for meanwhile is
 * undecided, not bad. Keys outlive an outage of the issuer for a stated time.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@postern/runtime';
import type { Issuer } from '@postern/schemas';
import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';

/** Keys are read anew after this, in the background. */
export const keysFreshMs = 10 * 60_000;
/** Between two attempts to read keys while the issuer does not answer, and between two searches for one key id. */
export const keysCooldownMs = 30_000;
/** The first pause after a search that found nothing; it doubles up to the cooldown. */
export const searchPauseMs = 1_000;
/** Key ids that were looked for in vain; the oldest is forgotten first. */
const missingMax = 1_000;
/** How long keys that could not be read anew are still believed. */
export const keysStaleMaxMs = 24 * 3_600_000;
const fetchTimeoutMs = 5_000;
const documentBytesMax = 1_000_000;

const Jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/** Rejects when the document cannot be had; a plain function, so that tests can pull the plug. */
export type ReadDocument = (url: string) => Promise<unknown>;

export const readDocument: ReadDocument = async (url) => {
  if (url.startsWith('file:'))
    return JSON.parse(
      await readFile(url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length), 'utf8'),
    );
  // A redirect could lead from https to anywhere; issuers name their addresses directly.
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
    headers: { accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const text = await response.text();
  if (text.length > documentBytesMax) throw new Error(`${url} answered more than ${documentBytesMax} bytes`);
  return JSON.parse(text);
};

export class KeysUnavailable extends Error {}

export type IssuerKeys = {
  readonly get: JWTVerifyGetKey;
  /** Changes when the keys do: what was verified with the old ones is verified again. */
  readonly version: () => number;
  /** Reads the keys anew in the background where that is due: called for kept tokens too, or a withdrawn key would live on in them. */
  readonly refresh: () => void;
  /** False once keys that cannot be read anew are too old to be believed. */
  readonly believed: () => boolean;
};

export const issuerKeys = (issuer: Issuer, clock: Clock, read: ReadDocument = readDocument): IssuerKeys => {
  let resolve: ReturnType<typeof createLocalJWKSet> | undefined;
  let text = '';
  let version = 0;
  let answers = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const where = async (): Promise<string> => {
    if (issuer.jwks !== undefined) return issuer.jwks;
    const discovery = Discovery.parse(
      await read(`${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`),
    );
    if (discovery.issuer !== issuer.issuer) throw new Error(`the discovery document is of ${discovery.issuer}`);
    return discovery.jwks_uri;
  };
  const load = async (): Promise<void> => {
    const { keys } = Jwks.parse(await read(await where()));
    // Secrets have no place in a public document, and must never be taken for verification keys.
    const asymmetric = keys.filter(({ kty }) => kty !== 'oct');
    const loaded = JSON.stringify(asymmetric);
    if (loaded !== text) {
      resolve = createLocalJWKSet({ keys: asymmetric });
      text = loaded;
      version++;
    }
    readAt = clock.elapsed();
    answers++;
  };
  /** Never rejects: a failure leaves the keys as they are. */
  const reload = (): Promise<void> => {
    if (reading === undefined) {
      triedAt = clock.elapsed();
      reading = load()
        .catch(() => {})
        .finally(() => {
          reading = undefined;
        });
    }
    return reading;
  };
  const believed = (): boolean => clock.elapsed() - readAt <= keysStaleMaxMs;
  const mayTry = (): boolean => reading !== undefined || clock.elapsed() - triedAt >= keysCooldownMs;
  const refresh = (): void => {
    if (clock.elapsed() - readAt >= keysFreshMs && mayTry()) void reload();
  };

  /** Key ids that were not found, and when they were looked for. */
  const missing = new Map<string, number>();
  let searchedAt = Number.NEGATIVE_INFINITY;
  let pauseMs = 0;
  let searching: Promise<boolean> | undefined;
  const search = async (): Promise<boolean> => {
    // What is on its way may have left the issuer before the key was there.
    if (reading !== undefined) await reading;
    const [before, answered] = [version, answers];
    await reload();
    searchedAt = clock.elapsed();
    pauseMs = version === before ? Math.min(keysCooldownMs, Math.max(searchPauseMs, pauseMs * 2)) : 0;
    return answers > answered;
  };
  /** Whether the issuer has said, after this call, what its keys are; false too where it may not be asked now. */
  const searched = async (): Promise<boolean> => {
    if (searching !== undefined) {
      await searching;
      return false;
    }
    if (clock.elapsed() - searchedAt >= keysCooldownMs) pauseMs = 0;
    if (clock.elapsed() - searchedAt < pauseMs) return false;
    searching = search().finally(() => {
      searching = undefined;
    });
    return searching;
  };
  const noteMissing = (kid: string): void => {
    if (missing.size >= missingMax) for (const oldest of missing.keys()) if (missing.delete(oldest)) break;
    missing.set(kid, clock.elapsed());
  };

  return {
    version: () => version,
    refresh,
    believed,
    get: async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
      if (resolve === undefined || !believed()) {
        if (mayTry()) await reload();
        if (resolve === undefined || !believed())
          throw new KeysUnavailable(`the keys of ${issuer.issuer} cannot be read`);
      } else refresh();
      try {
        return await resolve(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const kid = hash('sha256', `${header.alg} ${header.kid ?? ''}`, 'base64url');
        const missedAt = missing.get(kid);
        if (missedAt !== undefined && clock.elapsed() - missedAt < keysCooldownMs) throw error;
        missing.delete(kid);
        const certain = await searched();
        try {
          return await resolve(header, token);
        } catch (again) {
          if (!certain) throw new KeysUnavailable('its key is not known, and cannot be looked for now');
          noteMissing(kid);
          throw again;
        }
      }
    },
  };
};
