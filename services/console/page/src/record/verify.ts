/**
 * An entry's proof, judged here: by the schemas' own code, against keys that the person has pinned. The server's word is not taken. What
 * was proven last is kept, so that the next proof also has to show that the log has only grown since.
 */
import {
  type NoteKey,
  openCheckpoint,
  parseProof,
  parseVkeys,
  verifyGrowth,
  verifyProof,
  writeConsistency,
} from '@postern/schemas/tlog';
import { ask } from '../api.ts';

export type Log = 'facts' | 'decisions';
export type Verified = {
  readonly outcome: 'proven' | 'refused' | 'no-key';
  readonly said: string;
  /** What was found out about growth, where there was something to compare with. */
  readonly growth?: string;
};

const keyPlace = (log: Log): string => (log === 'facts' ? 'postern.pinned-key' : `postern.pinned-key.${log}`);
const checkpointPlace = (log: Log): string => `postern.checkpoint.${log}`;

export const pinnedKey = (log: Log): string => localStorage.getItem(keyPlace(log)) ?? '';
/** With other keys begins another history. */
export const pinKey = (log: Log, text: string): void => {
  if (text.trim() === pinnedKey(log)) return;
  localStorage.setItem(keyPlace(log), text.trim());
  localStorage.removeItem(checkpointPlace(log));
};
const keysOf = async (log: Log): Promise<readonly NoteKey[]> => (await parseVkeys(pinnedKey(log))) ?? [];

/** `entry`: the very bytes that are shown. */
export const verifyEntry = async (log: Log, index: number, entry: ArrayBuffer): Promise<Verified> => {
  const keys = await keysOf(log);
  if (keys.length === 0)
    return { outcome: 'no-key', said: 'Pin the log’s verifier key first; get it from somebody you trust.' };
  const proof = await (await ask(`/audit/log/${log}/proof/${index}`)).text();
  const judged = await verifyProof(proof, new Uint8Array(entry), keys);
  if (judged.outcome === 'refused') return { outcome: 'refused', said: judged.why };
  if (judged.index !== index)
    return { outcome: 'refused', said: `the proof is of entry ${judged.index}, not of this one` };
  const note = parseProof(proof)?.checkpoint ?? '';
  const grown = await verifyGrown(log, note, keys);
  if (grown.outcome === 'refused') return grown;
  localStorage.setItem(checkpointPlace(log), note);
  return {
    outcome: 'proven',
    said: `These bytes are entry ${judged.index} of a log of ${judged.checkpoint.size}, signed by ${judged.checkpoint.origin}.`,
    growth: grown.said,
  };
};

/** Between what this browser proved last and now, nothing was taken out or put in. */
const verifyGrown = async (log: Log, note: string, keys: readonly NoteKey[]): Promise<Verified> => {
  const before = localStorage.getItem(checkpointPlace(log));
  if (before === null)
    return {
      outcome: 'proven',
      said: 'This is the first head of the log that this browser has seen; it is kept, and the next one has to go on from it.',
    };
  const [old, now] = [await openCheckpoint(before, keys), await openCheckpoint(note, keys)];
  if (old.outcome === 'refused' || now.outcome === 'refused')
    return { outcome: 'refused', said: 'the head that was kept, or the new one, is not signed by the pinned key' };
  const [from, to] = [old.checkpoint.size, now.checkpoint.size];
  const text =
    from < to
      ? await (await ask(`/audit/log/${log}/consistency?from=${from}&to=${to}`)).text()
      : writeConsistency({ oldSize: from, path: [], checkpoint: note });
  const judged = await verifyGrowth(text, before, keys);
  return judged.outcome === 'grown'
    ? {
        outcome: 'proven',
        said: `The log has only grown since this browser looked last: from ${from} to ${to} entries.`,
      }
    : { outcome: 'refused', said: judged.why };
};
