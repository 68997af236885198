/**
 * What a log says of its own pruning. That entries are gone has to be told by a fact: the log of facts, which is signed by the same key
 * and never pruned, holds one that names the least index and the root of everything before it.
 */
import { fromBase64 } from '../tlog/base64.ts';
import type { AnySha256 } from '../tlog/hash.ts';
import { type NoteKey, noteKey } from '../tlog/note.ts';
import { verifyProof } from '../tlog/proof-text.ts';
import { objectIn } from './row.ts';

/** Below the log, as the checkpoint is. */
export const prunedFile = 'pruned';

export type PrunedText = {
  /** The least index that the log holds. */
  readonly before: number;
  /** The fact that says so, and its proof in the log of facts; left out where nothing was pruned. */
  readonly fact?: { readonly index: number; readonly entry: string; readonly proof: string };
};

export type Pruned =
  /** `root`: of the first `toldBefore` entries, which are being removed up to `before`. */
  | { readonly outcome: 'told'; readonly before: number; readonly toldBefore: number; readonly root: Uint8Array }
  | { readonly outcome: 'unfounded'; readonly why: string };

const utf8 = new TextDecoder();

/** 0 where there is nothing to read. */
export const prunedBefore = (told: Uint8Array | undefined): number => {
  const { before } = told === undefined ? {} : objectIn(utf8.decode(told));
  return typeof before === 'number' && Number.isSafeInteger(before) && before > 0 ? before : 0;
};

/** `keys`: those of the log itself; the log of facts is named like it and signed with the same ones. */
export const readPruned = async (
  get: (path: string) => Promise<Uint8Array | undefined>,
  keys: readonly NoteKey[],
  sha256: AnySha256,
): Promise<Pruned> => {
  const told = await get(prunedFile);
  const before = prunedBefore(told);
  if (told === undefined || before === 0) return { outcome: 'told', before: 0, toldBefore: 0, root: new Uint8Array() };
  const unfounded = (why: string): Pruned => ({
    outcome: 'unfounded',
    why: `the entries before ${before} are missing, and ${why}`,
  });
  const { fact } = objectIn(utf8.decode(told)) as Partial<PrunedText>;
  if (typeof fact?.entry !== 'string' || typeof fact.proof !== 'string')
    return unfounded('no fact says that they were pruned');
  const entry = new TextEncoder().encode(fact.entry);
  const factKeys = await Promise.all(
    keys.map(({ name, publicKey }) => noteKey(name.replace(/\/decisions$/, '/facts'), publicKey)),
  );
  const judged = await verifyProof(fact.proof, entry, factKeys, sha256);
  if (judged.outcome === 'refused') return unfounded(`the fact that says so is not proven: ${judged.why}`);
  const said = objectIn(fact.entry);
  const data = (said['data'] ?? {}) as Readonly<Record<string, unknown>>;
  const root = typeof data['root'] === 'string' ? fromBase64(data['root']) : undefined;
  if (
    said['type'] !== 'postern.retention.pruned.v1' ||
    data['log'] !== 'decisions' ||
    typeof data['before'] !== 'number' ||
    data['before'] < before ||
    !root
  )
    return unfounded('the fact that is brought says something else');
  return { outcome: 'told', before, toldBefore: data['before'], root };
};
