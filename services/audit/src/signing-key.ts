/** The Ed25519 key that checkpoints are signed with: read from PEM (PKCS#8) or a JWK, made where there is none yet. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Problem } from '@postern/schemas';
import type { NoteKeyPair } from '@postern/schemas/tlog';

/** Throws `runtime/bad-config`; the text itself stands in no message. */
export const parseSigningKey = (text: string): NoteKeyPair => {
  const key = readKey(text);
  if (key.asymmetricKeyType !== 'ed25519') throw badKey(`the key is of type ${key.asymmetricKeyType}`);
  return {
    privateKey: key.toCryptoKey('Ed25519', false, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey('Ed25519', true, ['verify']),
  };
};

/** A new key as PEM, to be kept by the caller where nobody else can read it. */
export const makeSigningKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

const readKey = (text: string): KeyObject => {
  try {
    return text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : createPrivateKey(text);
  } catch (error) {
    throw badKey('it cannot be read', error);
  }
};

const badKey = (why: string, cause?: unknown): Problem =>
  new Problem('runtime/bad-config', {
    detail: `the key that signs checkpoints is unusable: ${why}`,
    fix: 'Give an Ed25519 private key, as PEM (PKCS#8) or as a JWK.',
    cause,
  });
