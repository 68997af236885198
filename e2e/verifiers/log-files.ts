/** A log of numbered entries in files, made by the same code that serves logs, as large as a test wants it. */
import { hash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  edgeRoot,
  growEdge,
  leafHash,
  type NoteSigner,
  rangeRoot,
  type Sha256,
  type SubtreeRoot,
  signCheckpoint,
  subtreesOf,
  tilePath,
  tileSpan,
  tilesOf,
  tileWidth,
  vkeyText,
  writeBundle,
} from '@postern/schemas/tlog';

export const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');
export const entryOf = (index: number): Uint8Array =>
  Buffer.from(`{"entry":${index},"text":"${'x'.repeat(index % 40)}"}`);

export type NumberedTree = { readonly leaf: (index: number) => Uint8Array; readonly subtree: SubtreeRoot };

/** Subtrees that are full are hashed once. */
export const numberedTree = (count: number): NumberedTree => {
  const leaves = Array.from({ length: count }, (_, index) => leafHash(sha256, entryOf(index)));
  const known = new Map<string, Promise<Uint8Array>>();
  const plain = subtreesOf(sha256, async (from, to) => leaves.slice(from, to));
  return {
    leaf: (index) => leaves[index] ?? new Uint8Array(),
    subtree: (from, to) => {
      const key = `${from}-${to}`;
      const root = known.get(key) ?? plain(from, to);
      known.set(key, root);
      return root;
    },
  };
};

export const rootOf = async ({ subtree }: NumberedTree, size: number): Promise<Uint8Array> =>
  size === 0 ? edgeRoot(sha256, []) : rangeRoot(sha256, subtree, 0, size);

export const writeLogFiles = async (folder: string, count: number, signer: NoteSigner): Promise<void> => {
  const tree = numberedTree(count);
  const leaves = Array.from({ length: count }, (_, index) => tree.leaf(index));
  const root = edgeRoot(sha256, growEdge(sha256, [], 0, leaves));
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  for (const tile of tilesOf(count)) {
    const [from, to] = [tile.index * tileWidth, tile.index * tileWidth + tile.width];
    const places = Array.from({ length: to - from }, (_, at) => from + at);
    if (tile.level === 'entries') await put(tilePath(tile), writeBundle(places.map(entryOf)));
    else {
      const span = tileSpan(tile.level);
      const hashes = places.map((at) => tree.subtree(at * span, (at + 1) * span));
      await put(tilePath(tile), Buffer.concat(await Promise.all(hashes)));
    }
  }
  await put('vkey', `${vkeyText(signer)}\n`);
  await put('checkpoint', await signCheckpoint({ origin: signer.name, size: count, root }, [signer]));
};
