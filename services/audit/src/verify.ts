/**
 * The other side of the table: is a log what its key signed? Needs nothing but a way to get the public formats, from the gate or
 * from a folder of files laid out alike, and the verifier key, which comes from elsewhere.
 */
import type { LogName } from '@postern/audit-store';
import {
  type Checkpoint,
  edgeRoot,
  equalBytes,
  growEdge,
  hashBytes,
  leafHash,
  openCheckpoint,
  parseVkey,
  readBundle,
  type Sha256,
  tilePath,
  tileWidth,
  verifyProof,
} from '@postern/schemas/tlog';
import { sha256 as nodeSha256 } from './sha256.ts';

/** What is found at a path below the log (`checkpoint`, `tile/0/000`, `proof/7`); undefined where there is nothing. */
export type Get = (path: string) => Promise<Uint8Array | undefined>;

export type VerifyOptions = {
  readonly get: Get;
  readonly vkey: string;
  /** A checkpoint that was kept from an earlier time: the log must still begin with it. */
  readonly earlier?: string;
  readonly onProgress?: (entries: number, size: number) => void;
  readonly sha256?: Sha256;
};

export type Verified =
  | { readonly outcome: 'intact'; readonly checkpoint: Checkpoint }
  | {
      readonly outcome: 'altered';
      /** What does not hold; `index` is the first entry that it shows at, where that can be told. */
      readonly what: 'checkpoint' | 'earlier-checkpoint' | 'entry' | 'missing' | 'root' | 'proof';
      readonly index?: number;
      readonly why: string;
    }
  | { readonly outcome: 'bad-key'; readonly why: string };

const altered = (
  what: Extract<Verified, { outcome: 'altered' }>['what'],
  why: string,
  index?: number,
): Extract<Verified, { outcome: 'altered' }> => ({
  outcome: 'altered',
  what,
  why,
  ...(index !== undefined && { index }),
});

const badKey: Verified = { outcome: 'bad-key', why: 'the verifier key is no Ed25519 key of a signed note' };
const utf8 = new TextDecoder();

/** Every entry against its leaf, every leaf against the signed root. Rejects only where `get` does. */
export const verifyLog = async (options: VerifyOptions): Promise<Verified> => {
  const { get, earlier, onProgress = () => {}, sha256 = nodeSha256 } = options;
  const key = await parseVkey(options.vkey);
  if (key === undefined) return badKey;
  const note = await get('checkpoint');
  if (note === undefined) return altered('missing', 'there is no checkpoint');
  const opened = await openCheckpoint(utf8.decode(note), key);
  if (opened.outcome === 'refused') return altered('checkpoint', opened.why);
  const before = earlier === undefined ? undefined : await openCheckpoint(earlier, key);
  if (before?.outcome === 'refused') return altered('earlier-checkpoint', before.why);
  const { checkpoint } = opened;
  const { size } = checkpoint;
  const kept = before?.checkpoint;
  if (kept !== undefined && kept.size > size)
    return altered('earlier-checkpoint', `it covers ${kept.size} entries, the log now has ${size}`);

  let edge: Uint8Array[] = [];
  const same = (root: Uint8Array): boolean => equalBytes(edgeRoot(sha256, edge), root);
  const rewritten = (): Verified =>
    altered('earlier-checkpoint', `the first ${kept?.size} entries are not those it was signed over`);
  if (kept?.size === 0 && !same(kept.root)) return rewritten();
  for (let from = 0; from < size; from += tileWidth) {
    const page = await readPage(get, from, size);
    if ('outcome' in page) return page;
    for (const [at, entry] of page.entries.entries()) {
      const leaf = leafHash(sha256, entry);
      const claimed = page.leaves.subarray(at * hashBytes, (at + 1) * hashBytes);
      if (!equalBytes(leaf, claimed)) return altered('entry', 'its bytes do not hash to its leaf', from + at);
      edge = growEdge(sha256, edge, from + at, [leaf]);
      if (from + at + 1 === kept?.size && !same(kept.root)) return rewritten();
    }
    onProgress(from + page.entries.length, size);
  }
  return same(checkpoint.root)
    ? { outcome: 'intact', checkpoint }
    : altered('root', `the ${size} entries do not make up the signed root`);
};

type Page = { readonly entries: readonly Uint8Array[]; readonly leaves: Uint8Array };

/** The entries of one tile and the leaf hashes that the log claims for them. */
const readPage = async (get: Get, from: number, size: number): Promise<Page | Verified> => {
  const place = { index: from / tileWidth, width: Math.min(tileWidth, size - from) };
  const [bundle, leaves] = await Promise.all([
    get(tilePath({ level: 'entries', ...place })),
    get(tilePath({ level: 0, ...place })),
  ]);
  if (bundle === undefined || leaves === undefined)
    return altered('missing', `${place.width} entries cannot be read`, from);
  const entries = readBundle(bundle);
  if (entries?.length !== place.width || leaves.byteLength !== place.width * hashBytes)
    return altered('missing', `the tile does not hold the ${place.width} entries of its place`, from);
  return { entries, leaves };
};

/** One record: the entry at `index`, to the byte, proven by the log's own proof. Rejects only where `get` does. */
export const verifyRecord = async (
  { get, vkey, sha256 = nodeSha256 }: Pick<VerifyOptions, 'get' | 'vkey' | 'sha256'>,
  index: number,
): Promise<Verified> => {
  const key = await parseVkey(vkey);
  if (key === undefined) return badKey;
  const [proof, entry] = await Promise.all([get(`proof/${index}`), get(`entry/${index}`)]);
  if (proof === undefined || entry === undefined)
    return altered('missing', 'there is no such record, or no proof yet', index);
  const judged = await verifyProof(utf8.decode(proof), entry, key, sha256);
  if (judged.outcome === 'refused') return altered('proof', judged.why, index);
  if (judged.index !== index) return altered('proof', `the proof is of index ${judged.index}`, index);
  return { outcome: 'intact', checkpoint: judged.checkpoint };
};

/** The paths of a log's public formats, below `/.postern/audit/`. */
export const logPath = (log: LogName, path: string): string => `log/${log}/${path}`;
