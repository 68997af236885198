/**
 * C2SP signed notes with Ed25519 (type 0x01), and the keys' text form that Go's `sumdb/note` reads. A verifier ignores lines of
 * keys it does not know, and refuses the whole note when a line of a key that it knows does not verify.
 */
import { fromBase64, toBase64 } from './base64.ts';
import { equalBytes, webSha256 } from './hash.ts';

const ed25519 = 0x01;
const utf8 = new TextEncoder();

export type NoteKey = {
  readonly name: string;
  readonly id: Uint8Array;
  /** 32 bytes, as RFC 8032 writes them. */
  readonly publicKey: Uint8Array;
};

export type NoteSigner = NoteKey & { readonly sign: (text: Uint8Array) => Promise<Uint8Array> };

/** Names a public key; throws RangeError for a name that a note cannot carry. */
export const noteKey = (name: string, publicKey: Uint8Array): Promise<NoteKey> => namedKey(name, publicKey, ed25519);

/** As {@link noteKey}, for a key of another use: its type is part of its id. */
export const namedKey = async (name: string, publicKey: Uint8Array, type: number): Promise<NoteKey> => {
  if (!isKeyName(name)) throw new RangeError(`${JSON.stringify(name)} cannot name a key`);
  if (publicKey.byteLength !== 32) throw new RangeError('an Ed25519 public key has 32 bytes');
  const named = Uint8Array.from([...utf8.encode(`${name}\n`), type, ...publicKey]);
  return { name, id: (await webSha256(named)).slice(0, 4), publicKey };
};

// Spelled by its value, so that it means the same with a browser's declarations as with Node's.
type WebKey = (typeof CryptoKey)['prototype'];
export type NoteKeyPair = { readonly privateKey: WebKey; readonly publicKey: WebKey };

/** A signer of notes from a WebCrypto key pair. */
export const noteSigner = async (name: string, keys: NoteKeyPair): Promise<NoteSigner> => {
  const raw = new Uint8Array(await globalThis.crypto.subtle.exportKey('raw', keys.publicKey));
  return {
    ...(await noteKey(name, raw)),
    sign: async (text) =>
      new Uint8Array(await globalThis.crypto.subtle.sign('Ed25519', keys.privateKey, text as Uint8Array<ArrayBuffer>)),
  };
};

/** The verifier key as text: `name+id+base64(0x01 || key)`. */
export const vkeyText = (key: NoteKey): string => vkeyOf(key, ed25519);
export const vkeyOf = ({ name, id, publicKey }: NoteKey, type: number): string =>
  `${name}+${toHex(id)}+${toBase64(Uint8Array.from([type, ...publicKey]))}`;

/** Undefined for text that is no Ed25519 verifier key, or whose id is not that of its key. */
export const parseVkey = (text: string): Promise<NoteKey | undefined> => parseTypedVkey(text, ed25519);
export const parseTypedVkey = async (text: string, type: number): Promise<NoteKey | undefined> => {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? [];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || !isKeyName(name) || bytes?.byteLength !== 33 || bytes[0] !== type) return undefined;
  const key = await namedKey(name, bytes.slice(1), type);
  return toHex(key.id) === id ? key : undefined;
};

/** Verifier keys, one a line; undefined where there is none, or where a line is none. */
export const parseVkeys = async (text: string): Promise<readonly NoteKey[] | undefined> => {
  const keys: NoteKey[] = [];
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const key = await parseVkey(line);
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return keys.length > 0 ? keys : undefined;
};

/** `text` ends in a newline and is signed as it is. */
export const signNote = async (text: string, signers: readonly NoteSigner[]): Promise<string> => {
  if (!isNoteText(text)) throw new RangeError('a note is text that ends in a newline and holds no control character');
  const lines = await Promise.all(
    signers.map(async (signer) => {
      const signature = await signer.sign(utf8.encode(text));
      return `— ${signer.name} ${toBase64(Uint8Array.from([...signer.id, ...signature]))}\n`;
    }),
  );
  return `${text}\n${lines.join('')}`;
};

export type OpenedNote =
  | { readonly outcome: 'signed'; readonly text: string; readonly by: readonly NoteKey[] }
  | { readonly outcome: 'refused'; readonly why: string };

/** The note's text, if at least one of `keys` signed it and none of their signatures is wrong. */
export const openNote = async (note: string, keys: readonly NoteKey[]): Promise<OpenedNote> => {
  const refused = (why: string): OpenedNote => ({ outcome: 'refused', why });
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const lines = signatureLines(note.slice(end + 2));
  if (end < 0 || !isNoteText(text)) return refused('not a signed note');
  if (!note.endsWith('\n') || lines.length === 0 || lines.length > 100)
    return refused('the signature lines are malformed');
  if (lines.length !== note.slice(end + 2).split('\n').length - 1) return refused('a signature line is malformed');
  const by: NoteKey[] = [];
  for (const { name, blob } of lines) {
    const key = keys.find((known) => known.name === name && equalBytes(known.id, blob.slice(0, 4)));
    if (key === undefined) continue;
    if (!(await verifyEd25519(key, utf8.encode(text), blob.slice(4))))
      return refused(`the signature of ${name} is not valid`);
    if (!by.includes(key)) by.push(key);
  }
  return by.length > 0 ? { outcome: 'signed', text, by } : refused('no trusted key has signed it');
};

export type SignatureLine = { readonly name: string; readonly blob: Uint8Array; readonly line: string };

/** The well-formed signature lines of a text; each with what it is: the key's id and what the key signed. */
export const signatureLines = (text: string): readonly SignatureLine[] =>
  text.split('\n').flatMap((line) => {
    const [, name, encoded] = /^— ([^\s+]+) (\S+)$/u.exec(line) ?? [];
    const blob = encoded === undefined ? undefined : fromBase64(encoded);
    return name === undefined || blob === undefined || blob.byteLength < 5 ? [] : [{ name, blob, line: `${line}\n` }];
  });

export const verifyEd25519 = async (key: NoteKey, signed: Uint8Array, signature: Uint8Array): Promise<boolean> => {
  const { subtle } = globalThis.crypto;
  const bytes = (value: Uint8Array) => value as Uint8Array<ArrayBuffer>;
  const imported = await subtle.importKey('raw', bytes(key.publicKey), 'Ed25519', false, ['verify']);
  return subtle.verify('Ed25519', imported, bytes(signature), bytes(signed));
};

const isKeyName = (name: string): boolean => name !== '' && !/[\s+\p{Cc}]/u.test(name);
const isNoteText = (text: string): boolean => text.endsWith('\n') && text.isWellFormed() && !/[^\P{Cc}\n]/u.test(text);
const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
