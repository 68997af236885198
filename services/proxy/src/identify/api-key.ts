/** API keys: `psk_…`, known by their SHA-256 alone. A key is a subject of its own beside its owner, and never wider than it. */
import { hash } from 'node:crypto';
import type { Organisation } from '@postern/schemas';
import { type Identity, toCaller } from './identity.ts';

export const apiKeyPrefix = 'psk_';
/** Longer texts are no keys of ours: not worth a digest. */
const keyLengthMax = 256;

export const identifyByApiKey = (key: string, organisation: Organisation, nowMs: number): Identity => {
  if (!key.startsWith(apiKeyPrefix) || key.length > keyLengthMax)
    return { kind: 'bad', why: 'it is no API key of this gate' };
  const credential = organisation.credentialsByDigest.get(hash('sha256', key, 'base64url'));
  if (credential === undefined) return { kind: 'bad', why: 'no live API key is known by it' };
  const expiresAtMs = credential.until === undefined ? undefined : Date.parse(credential.until);
  if (expiresAtMs !== undefined && nowMs >= expiresAtMs) return { kind: 'bad', why: 'the API key has run out' };
  return toCaller({
    principal: credential.owner,
    credential: credential.id,
    actors: [],
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  });
};
