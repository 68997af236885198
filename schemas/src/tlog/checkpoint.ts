/** C2SP tlog-checkpoint: origin, size and root of a log, as a signed note. */
import { fromBase64, toBase64 } from './base64.ts';
import { hashBytes } from './hash.ts';
import { type NoteKey, type NoteSigner, openNote, signNote } from './note.ts';

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** The three lines that are signed. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${toBase64(root)}\n`;

export const signCheckpoint = (checkpoint: Checkpoint, signers: readonly NoteSigner[]): Promise<string> =>
  signNote(checkpointText(checkpoint), signers);

/** Undefined for text that is no checkpoint; extension lines, which we never write, are passed over. */
export const parseCheckpoint = (text: string): Checkpoint | undefined => {
  const [origin, decimal, encoded] = text.split('\n');
  const root = encoded === undefined ? undefined : fromBase64(encoded);
  const size = Number(decimal);
  if (origin === undefined || origin === '' || decimal === undefined || !/^(0|[1-9]\d*)$/.test(decimal))
    return undefined;
  if (!Number.isSafeInteger(size) || root?.byteLength !== hashBytes || !text.endsWith('\n')) return undefined;
  return { origin, size, root };
};

export type OpenedCheckpoint =
  | { readonly outcome: 'signed'; readonly checkpoint: Checkpoint }
  | { readonly outcome: 'refused'; readonly why: string };

/** The checkpoint, if a key that is named as the log signed it: of several keys (old and new, while they are rotated) any one. */
export const openCheckpoint = async (note: string, keys: NoteKey | readonly NoteKey[]): Promise<OpenedCheckpoint> => {
  const opened = await openNote(note, 'publicKey' in keys ? [keys] : keys);
  if (opened.outcome === 'refused') return opened;
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint === undefined) return { outcome: 'refused', why: 'what is signed is no checkpoint' };
  if (!opened.by.some(({ name }) => name === checkpoint.origin))
    return { outcome: 'refused', why: `the checkpoint is of ${checkpoint.origin}, not of ${opened.by[0]?.name}` };
  return { outcome: 'signed', checkpoint };
};
