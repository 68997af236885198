/**
 * The Ed25519 keys of the checkpoints. A file holds one key or several, newest first: each private one signs, so while keys are
 * being rotated every checkpoint has two signatures; a public one has signed once, and is only believed about that time.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Problem } from '@postern/schemas';
import { type NoteKey, type NoteKeyPair, type NoteSigner, noteKey, noteSigner } from '@postern/schemas/tlog';

export type SigningKeys = {
  readonly signing: readonly NoteKeyPair[];
  /** Public keys, 32 bytes each. */
  readonly retired: readonly Uint8Array[];
};
export type LogKeys = { readonly signers: readonly NoteSigner[]; readonly known: readonly NoteKey[] };

/** PEM (PKCS#8 and, for retired keys, SPKI), a JWK or a JWK set. Throws `runtime/bad-config`; the text itself stands in no message. */
export const parseSigningKeys = (text: string): SigningKeys => {
  const keys = readKeys(text);
  const signing = keys.filter(({ type }) => type === 'private');
  if (signing.length === 0) throw badKey('there is no private key');
  return {
    signing: signing.map((key) => ({
      privateKey: key.toCryptoKey('Ed25519', false, ['sign']),
      publicKey: createPublicKey(key).toCryptoKey('Ed25519', true, ['verify']),
    })),
    retired: keys.filter(({ type }) => type === 'public').map(rawPublicKey),
  };
};

/** The keys of one log, which is the name they sign under: those that sign first, then those that did. */
export const logKeys = async (name: string, { signing, retired }: SigningKeys): Promise<LogKeys> => {
  const signers = await Promise.all(signing.map((pair) => noteSigner(name, pair)));
  const former = await Promise.all(retired.map((raw) => noteKey(name, raw)));
  return { signers, known: [...signers, ...former] };
};

/** A new key as PEM, to be kept by the caller where nobody else can read it. */
export const makeSigningKey = (): string => pemOf(generateKeyPairSync('ed25519').privateKey);

/** The file's text with a new key before those that are there: from the next start on, all of them sign. */
export const rotatedKeys = (text: string): string => [makeSigningKey(), ...readKeys(text).map(pemOf)].join('');

/** The file's text in which the newest key alone signs, and the others have signed. */
export const retiredKeys = (text: string): string => {
  const [newest, ...others] = readKeys(text);
  if (newest?.type !== 'private') throw badKey('the first key of the file is not private');
  return [newest, ...others.map((key) => (key.type === 'private' ? createPublicKey(key) : key))].map(pemOf).join('');
};

const pemOf = (key: KeyObject): string =>
  key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }).toString();

const rawPublicKey = (key: KeyObject): Uint8Array =>
  Uint8Array.from(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'));

const readKeys = (text: string): readonly KeyObject[] => {
  const keys = text.trimStart().startsWith('{') ? readJwks(text) : readPems(text);
  for (const { asymmetricKeyType: type } of keys) if (type !== 'ed25519') throw badKey(`a key is of type ${type}`);
  return keys;
};

const readPems = (text: string): readonly KeyObject[] => {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  if (blocks.length === 0) throw badKey('it holds no key');
  return readAll(() => blocks.map((pem) => (pem.includes(' PUBLIC ') ? createPublicKey(pem) : createPrivateKey(pem))));
};

const readJwks = (text: string): readonly KeyObject[] =>
  readAll(() => {
    const read = JSON.parse(text) as JsonWebKey | KeySet;
    const keys: readonly JsonWebKey[] = isKeySet(read) ? read.keys : [read];
    return keys.map((key) =>
      'd' in key ? createPrivateKey({ key, format: 'jwk' }) : createPublicKey({ key, format: 'jwk' }),
    );
  });

type KeySet = { readonly keys: readonly JsonWebKey[] };
const isKeySet = (read: JsonWebKey | KeySet): read is KeySet => Array.isArray(read['keys']);

const readAll = (read: () => readonly KeyObject[]): readonly KeyObject[] => {
  try {
    return read();
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
