/**
 * The other side of the table: is a log what its key signed? Needs nothing but a way to get the public formats, from the gate or
 * from a folder of files laid out alike, and the verifier keys, which come from elsewhere. Runs in a browser as it does in Node.
 */
import { type Checkpoint, openCheckpoint } from '../tlog/checkpoint.ts';
import { appendLeaf, edgeRootOf } from '../tlog/edge.ts';
import { type AnySha256, equalBytes, hashBytes, leafHash, webSha256 } from '../tlog/hash.ts';
import { type NoteKey, parseVkeys } from '../tlog/note.ts';
import { verifyProof } from '../tlog/proof-text.ts';
import { readBundle, tilePath, tileWidth } from '../tlog/tiles.ts';
import { compareRows, findingsMax, type RowFinding, type SearchedLog } from './compare-rows.ts';
import { type KeptCheckpoint, keptRoots } from './kept-checkpoints.ts';
import { readPruned } from './pruned.ts';
import type { ServedRow } from './row.ts';
import { rowsByEntry } from './rows-by-entry.ts';
import { wrongTile } from './upper-tiles.ts';

/** What is found at a path below the log (`checkpoint`, `tile/0/000`, `proof/7`); undefined where there is nothing. */
export type Get = (path: string) => Promise<Uint8Array | undefined>;

export type VerifyOptions = {
  readonly get: Get;
  /** Verifier keys, one a line: while keys are being rotated any of them will do. */
  readonly vkey: string;
  /** Checkpoints that were kept from earlier times: the log must still begin with them. */
  readonly earlier?: string | readonly string[];
  /** The checkpoints that the log itself has kept, in their order: all of them, each signed, each a beginning of the log. */
  readonly kept?: AsyncIterable<KeptCheckpoint>;
  /** The rows that the record is searched by, oldest first: each has to follow from its entry, and none may be missing. */
  readonly rows?: { readonly log: SearchedLog; readonly served: AsyncIterable<ServedRow> };
  readonly onProgress?: (entries: number, size: number) => void;
  readonly sha256?: AnySha256;
};

export type Altered = {
  readonly outcome: 'altered';
  /** What does not hold; `index` is the first entry that it shows at, where that can be told. */
  readonly what:
    | 'checkpoint'
    | 'entry'
    | 'missing'
    /** Entries are gone, and no fact that the log's key signed says so. */
    | 'pruned'
    | 'root'
    /** Of hashes above the leaves. */
    | 'tile'
    | 'proof'
    | 'row'
    /** A checkpoint that the log has kept, or that should be among them. */
    | 'kept-checkpoint'
    /** The checkpoint that was brought along is itself not what was signed. */
    | 'earlier-checkpoint'
    /** Two checkpoints, both signed, of logs of which neither is the other's beginning. */
    | 'fork'
    /** Less is there than was signed before. */
    | 'rolled-back';
  readonly index?: number;
  readonly why: string;
  /** The rows that were found wrong, no more than {@link findingsMax} of them. */
  readonly rows?: readonly RowFinding[];
};
export type Verified =
  /** `prunedBefore`: the entries before it are gone, as a signed fact says; their hashes make up the signed root. */
  | { readonly outcome: 'intact'; readonly checkpoint: Checkpoint; readonly prunedBefore?: number }
  | Altered
  | { readonly outcome: 'bad-key'; readonly why: string };

const altered = (what: Altered['what'], why: string, index?: number): Altered => ({
  outcome: 'altered',
  what,
  why,
  ...(index !== undefined && { index }),
});

const badKey: Verified = { outcome: 'bad-key', why: 'the verifier key is no Ed25519 key of a signed note' };
const utf8 = new TextDecoder();

/** Every entry against its leaf, every leaf against the signed root, and whatever else is brought. Rejects only where `get` does. */
export const verifyLog = async (options: VerifyOptions): Promise<Verified> => {
  const opened: { readonly close: () => Promise<void> }[] = [];
  try {
    return await judge(options, opened);
  } finally {
    // Whatever lines are read from is let go of, however early the verdict comes.
    for (const each of opened) await each.close();
  }
};

const judge = async (options: VerifyOptions, closing: { readonly close: () => Promise<void> }[]): Promise<Verified> => {
  const { get, onProgress = () => {}, sha256 = webSha256, rows } = options;
  const keys = await parseVkeys(options.vkey);
  if (keys === undefined) return badKey;
  const note = await get('checkpoint');
  if (note === undefined) return altered('missing', 'there is no checkpoint');
  const opened = await openCheckpoint(utf8.decode(note), keys);
  if (opened.outcome === 'refused') return altered('checkpoint', opened.why);
  const { checkpoint } = opened;
  const { size } = checkpoint;
  const pruned = await readPruned(get, keys, sha256);
  if (pruned.outcome === 'unfounded') return altered('pruned', pruned.why);
  if (pruned.toldBefore > size)
    return altered('pruned', `${pruned.toldBefore} of ${size} entries cannot have been pruned`);
  const earlier = await earlierRoots(options.earlier, keys, size);
  if ('outcome' in earlier) return earlier;
  const kept = options.kept === undefined ? undefined : keptRoots(options.kept, keys, size);
  const served = rows && rowsByEntry(rows.served, size);
  closing.push(...[kept, served].filter((each) => each !== undefined));

  // The roots of full tiles, the edge that they make up, and that of the tile which is being read.
  const groups: Uint8Array[] = [];
  let full: Uint8Array[] = [];
  let edge: Uint8Array[] = [];
  const findings: RowFinding[] = [];
  const contradicted = async (at: number): Promise<Altered | undefined> => {
    const brought = earlier.get(at) ?? [];
    if (brought.length === 0 && (await kept?.peek()) !== at) return undefined;
    const root = await edgeRootOf(sha256, [...full, ...edge]);
    if (brought.some((one) => !equalBytes(one, root)))
      return altered(
        'fork',
        `fork: the first ${at} entries are not those of the checkpoint that was kept, and both are signed`,
      );
    const why = await kept?.check(at, root);
    return why === undefined ? undefined : altered('kept-checkpoint', why);
  };
  const empty = await contradicted(0);
  if (empty !== undefined) return empty;
  for (let from = 0; from < size; from += tileWidth) {
    const page = await readPage(get, from, size, pruned.before);
    if ('outcome' in page) return page;
    for (let at = 0; at < page.width; at++) {
      const entry = page.entries?.[at];
      const claimed = page.leaves.subarray(at * hashBytes, (at + 1) * hashBytes);
      const leaf = entry === undefined ? claimed : await leafHash(sha256, entry);
      if (!equalBytes(leaf, claimed)) return altered('entry', 'its bytes do not hash to its leaf', from + at);
      edge = await appendLeaf(sha256, edge, at, leaf);
      const [group] = edge;
      if (at === tileWidth - 1 && group !== undefined) {
        full = await appendLeaf(sha256, full, groups.length, group);
        groups.push(group);
        edge = [];
      }
      const against = await contradicted(from + at + 1);
      if (against !== undefined) return against;
      if (from + at + 1 === pruned.toldBefore && !equalBytes(await edgeRootOf(sha256, [...full, ...edge]), pruned.root))
        return altered('pruned', `the ${pruned.toldBefore} entries that were pruned are not those that the fact says`);
      if (rows && served && findings.length < findingsMax) {
        const there = await served.at(from + at);
        findings.push(
          ...(entry === undefined
            ? there.map(({ id }) => ({ index: from + at, id: String(id), found: 'surplus' as const }))
            : compareRows(rows.log, from + at, entry, there)),
        );
      }
    }
    onProgress(from + page.width, size);
  }
  if (!equalBytes(await edgeRootOf(sha256, [...full, ...edge]), checkpoint.root))
    return altered('root', `the ${size} entries do not make up the signed root`);
  const tile = await wrongTile(get, groups, sha256);
  if (tile !== undefined) return altered('tile', `${tilePath(tile)} is missing, or not what the entries hash to`);
  const unkept = await kept?.ended();
  if (unkept !== undefined) return altered('kept-checkpoint', unkept);
  findings.push(...((await served?.rest()) ?? []));
  const [first] = findings;
  if (first === undefined)
    return { outcome: 'intact', checkpoint, ...(pruned.before > 0 && { prunedBefore: pruned.before }) };
  return { ...altered('row', findingText(first), first.index), rows: findings.slice(0, findingsMax) };
};

export const findingText = ({ id, found, members }: RowFinding): string =>
  ({
    differs: `the row ${id} does not say what its entry says${members ? ` (${members.join(', ')})` : ''}`,
    missing: `the row ${id} is missing, so no search finds it`,
    surplus: `the row ${id} stands for nothing in its entry`,
    'out-of-order': `the row ${id} does not stand at its place`,
  })[found];

/** The roots that were signed earlier, by size; or why they cannot be those of a beginning. */
const earlierRoots = async (
  earlier: VerifyOptions['earlier'] = [],
  keys: readonly NoteKey[],
  size: number,
): Promise<ReadonlyMap<number, readonly Uint8Array[]> | Altered> => {
  const roots = new Map<number, Uint8Array[]>();
  for (const note of typeof earlier === 'string' ? [earlier] : earlier) {
    const opened = await openCheckpoint(note, keys);
    if (opened.outcome === 'refused') return altered('earlier-checkpoint', opened.why);
    const { checkpoint } = opened;
    if (checkpoint.size > size)
      return altered(
        'rolled-back',
        `the checkpoint that was kept covers ${checkpoint.size} entries, the log now has ${size}`,
      );
    roots.set(checkpoint.size, [...(roots.get(checkpoint.size) ?? []), checkpoint.root]);
  }
  return roots;
};

type Page = { readonly width: number; readonly entries?: readonly Uint8Array[]; readonly leaves: Uint8Array };

/** The entries of one tile, where it was not pruned, and the leaf hashes that the log claims for them. */
const readPage = async (get: Get, from: number, size: number, prunedBefore: number): Promise<Page | Altered> => {
  const place = { index: from / tileWidth, width: Math.min(tileWidth, size - from) };
  const gone = from + place.width <= prunedBefore;
  const [bundle, leaves] = await Promise.all([
    gone ? undefined : get(tilePath({ level: 'entries', ...place })),
    get(tilePath({ level: 0, ...place })),
  ]);
  if (gone && leaves?.byteLength === place.width * hashBytes) return { width: place.width, leaves };
  if (bundle === undefined || leaves === undefined)
    return altered('missing', `${place.width} entries cannot be read`, from);
  const entries = readBundle(bundle);
  if (entries?.length !== place.width || leaves.byteLength !== place.width * hashBytes)
    return altered('missing', `the tile does not hold the ${place.width} entries of its place`, from);
  return { width: place.width, entries, leaves };
};

/** One record: the entry at `index`, to the byte, proven by the log's own proof. Rejects only where `get` does. */
export const verifyRecord = async (
  { get, vkey, sha256 = webSha256 }: Pick<VerifyOptions, 'get' | 'vkey' | 'sha256'>,
  index: number,
): Promise<Verified> => {
  const keys = await parseVkeys(vkey);
  if (keys === undefined) return badKey;
  const [proof, entry] = await Promise.all([get(`proof/${index}`), get(`entry/${index}`)]);
  if (proof === undefined || entry === undefined)
    return altered('missing', 'there is no such record, or no proof yet', index);
  const judged = await verifyProof(utf8.decode(proof), entry, keys, sha256);
  if (judged.outcome === 'refused') return altered('proof', judged.why, index);
  if (judged.index !== index) return altered('proof', `the proof is of index ${judged.index}`, index);
  return { outcome: 'intact', checkpoint: judged.checkpoint };
};
