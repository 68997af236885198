/**
 * An issuer's signing keys: from a URL, a file or OpenID discovery. A key that is not known is looked for once more, but not more
 * often than the cooldown allows, so that forged key ids cannot make the gate hammer the issuer. Keys outlive an outage of the
 * issuer for a stated time.
 */
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
/** Between two look-ups for keys that are not known. */
export const keysCooldownMs = 30_000;
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
};

export const issuerKeys = (issuer: Issuer, clock: Clock, read: ReadDocument = readDocument): IssuerKeys => {
  let resolve: ReturnType<typeof createLocalJWKSet> | undefined;
  let text = '';
  let version = 0;
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
  };
  /** Never rejects: a failure leaves the keys as they are. */
  const reload = (): Promise<void> => {
    triedAt = clock.elapsed();
    reading ??= load()
      .catch(() => {})
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const maySearch = (): boolean => reading !== undefined || clock.elapsed() - triedAt >= keysCooldownMs;

  const refresh = (): void => {
    if (clock.elapsed() - readAt >= keysFreshMs && maySearch()) void reload();
  };

  return {
    version: () => version,
    refresh,
    get: async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
      if (resolve === undefined && (maySearch() || triedAt === Number.NEGATIVE_INFINITY)) await reload();
      const age = clock.elapsed() - readAt;
      if (resolve === undefined || age > keysStaleMaxMs) {
        if (resolve !== undefined && maySearch()) await reload();
        if (resolve === undefined || clock.elapsed() - readAt > keysStaleMaxMs)
          throw new KeysUnavailable(`the keys of ${issuer.issuer} cannot be read`);
      } else refresh();
      try {
        return await resolve(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !maySearch()) throw error;
        await reload();
        return await resolve(header, token);
      }
    },
  };
};
