/**
 * C2SP tlog-cosignature v1 (key type 0x04): a witness signs the checkpoint's text together with the time at which it saw the log
 * grow to it. The lines stand in the same note as the log's own; whoever does not know the witness passes them over.
 */
import { toBase64 } from './base64.ts';
import { equalBytes } from './hash.ts';
import {
  type NoteKey,
  type NoteSigner,
  namedKey,
  parseTypedVkey,
  signatureLines,
  verifyEd25519,
  vkeyOf,
} from './note.ts';

const cosigner = 0x04;
const utf8 = new TextEncoder();

export type WitnessKey = NoteKey;

/** Names a witness's public key; throws RangeError for a name that a note cannot carry. */
export const witnessKey = (name: string, publicKey: Uint8Array): Promise<WitnessKey> =>
  namedKey(name, publicKey, cosigner);
export const witnessVkeyText = (key: WitnessKey): string => vkeyOf(key, cosigner);
/** Undefined for text that is no verifier key of a cosigner. */
export const parseWitnessVkey = (text: string): Promise<WitnessKey | undefined> => parseTypedVkey(text, cosigner);

const signedText = (text: string, seconds: number): Uint8Array =>
  utf8.encode(`cosignature/v1\ntime ${seconds}\n${text}`);

/** One signature line; `text` is the checkpoint's without its signatures, `seconds` since the epoch. */
export const cosign = async (
  text: string,
  signer: Pick<NoteSigner, 'name' | 'sign'> & { readonly id: Uint8Array },
  seconds: number,
): Promise<string> => {
  const blob = new Uint8Array(12);
  blob.set(signer.id);
  new DataView(blob.buffer).setBigUint64(4, BigInt(seconds));
  const signature = await signer.sign(signedText(text, seconds));
  return `— ${signer.name} ${toBase64(Uint8Array.from([...blob, ...signature]))}\n`;
};

export type Cosignature = { readonly key: WitnessKey; readonly seconds: number; readonly line: string };

/** The cosignatures of a note that hold, at most one for each key; whatever else stands there is passed over. */
export const cosignatures = async (note: string, keys: readonly WitnessKey[]): Promise<readonly Cosignature[]> => {
  const end = note.lastIndexOf('\n\n');
  const found: Cosignature[] = [];
  if (end < 0) return found;
  const text = note.slice(0, end + 1);
  for (const { name, blob, line } of signatureLines(note.slice(end + 2))) {
    const key = keys.find((known) => known.name === name && equalBytes(known.id, blob.slice(0, 4)));
    if (key === undefined || blob.byteLength !== 76 || found.some((one) => one.key === key)) continue;
    const seconds = Number(new DataView(blob.buffer, blob.byteOffset).getBigUint64(4));
    if (!Number.isSafeInteger(seconds)) continue;
    if (await verifyEd25519(key, signedText(text, seconds), blob.slice(12))) found.push({ key, seconds, line });
  }
  return found;
};

/** The note with signature lines that it lacks. */
export const withLines = (note: string, lines: readonly string[]): string =>
  note + lines.filter((line) => !note.includes(line)).join('');
