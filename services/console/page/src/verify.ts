/** A fact's proof, judged here: by the schemas' own code, against a key that the person has pinned. The server's word is not taken. */
import { parseVkey, verifyProof } from '@postern/schemas/tlog';
import { ask } from './api.ts';

export type Verified = { readonly outcome: 'proven' | 'refused' | 'no-key'; readonly said: string };

const place = 'postern.pinned-key';
export const pinnedKey = (): string => localStorage.getItem(place) ?? '';
export const pinKey = (text: string): void => localStorage.setItem(place, text.trim());

/** `entry`: the very bytes that are shown. */
export const verifyFact = async (sequence: number, entry: ArrayBuffer): Promise<Verified> => {
  const key = await parseVkey(pinnedKey());
  if (key === undefined)
    return { outcome: 'no-key', said: 'Pin the log’s verifier key first; get it from somebody you trust.' };
  const proof = await (await ask(`/audit/proof/${sequence}`)).text();
  const judged = await verifyProof(proof, new Uint8Array(entry), key);
  if (judged.outcome === 'refused') return { outcome: 'refused', said: judged.why };
  if (judged.index !== sequence - 1)
    return { outcome: 'refused', said: `the proof is of entry ${judged.index}, not of this one` };
  return {
    outcome: 'proven',
    said: `These bytes are entry ${judged.index} of a log of ${judged.checkpoint.size}, signed by ${key.name}.`,
  };
};
