/** A transmitter's keys: from where the configuration or its own metadata says. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Transmitter } from '@postern/schemas';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

export type TransmitterKeys = JWTVerifyGetKey;

/** The keys cannot be had: nothing is said about the event. */
export class KeysAway extends Error {}

const Jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
const Metadata = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.string().regex(/^https?:/),
  verification_endpoint: z
    .string()
    .regex(/^https?:/)
    .optional(),
  status_endpoint: z
    .string()
    .regex(/^https?:/)
    .optional(),
});
export type Metadata = z.infer<typeof Metadata>;
const timeoutMs = 5_000;

/** `/.well-known/ssf-configuration` stands between the host and the issuer's path. Rejects where it is another's. */
export const metadataOf = async (issuer: string): Promise<Metadata> => {
  const url = new URL(issuer);
  const path = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
  const response = await fetch(new URL(`/.well-known/ssf-configuration${path}`, url), {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  const metadata = Metadata.parse(await response.json());
  if (metadata.issuer !== issuer) throw new Error(`the metadata is of ${metadata.issuer}`);
  return metadata;
};

export const transmitterKeys = ({ issuer, jwks }: Pick<Transmitter, 'issuer' | 'jwks'>): TransmitterKeys => {
  let remote: ReturnType<typeof createRemoteJWKSet> | undefined;
  const fromFile = async (path: string): Promise<JWTVerifyGetKey> => {
    const { keys } = Jwks.parse(JSON.parse(await readFile(path, 'utf8')));
    return createLocalJWKSet({ keys: keys.filter(({ kty }) => kty !== 'oct') });
  };
  const where = async (): Promise<JWTVerifyGetKey> => {
    if (jwks?.startsWith('file:'))
      return fromFile(jwks.startsWith('file://') ? fileURLToPath(jwks) : jwks.slice('file:'.length));
    remote ??= createRemoteJWKSet(new URL(jwks ?? (await metadataOf(issuer)).jwks_uri), {
      timeoutDuration: timeoutMs,
      cooldownDuration: 5_000,
    });
    return remote;
  };
  return async (header, token) => {
    let found: JWTVerifyGetKey;
    try {
      found = await where();
    } catch (cause) {
      throw new KeysAway(`the keys of ${issuer} cannot be read`, { cause });
    }
    try {
      return await found(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) throw cause;
      if (cause instanceof errors.JOSENotSupported || cause instanceof errors.JWKInvalid) throw cause;
      throw new KeysAway(`the keys of ${issuer} cannot be read`, { cause });
    }
  };
};
