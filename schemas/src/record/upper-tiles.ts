/** The tiles above the leaves: whoever proves with them has to get the same hashes as whoever hashes the entries. */
import { appendLeaf } from '../tlog/edge.ts';
import { type AnySha256, equalBytes, hashBytes } from '../tlog/hash.ts';
import { type Tile, tilePath, tileWidth } from '../tlog/tiles.ts';

/** The first tile above the leaves that is missing or wrong; `groups` are the roots of each full 256 entries. */
export const wrongTile = async (
  get: (path: string) => Promise<Uint8Array | undefined>,
  groups: readonly Uint8Array[],
  sha256: AnySha256,
): Promise<Tile | undefined> => {
  let hashes = groups;
  for (let level = 1; hashes.length > 0; level++) {
    const above: Uint8Array[] = [];
    for (let index = 0; index * tileWidth < hashes.length; index++) {
      const own = hashes.slice(index * tileWidth, (index + 1) * tileWidth);
      const tile = { level, index, width: own.length };
      const claimed = await get(tilePath(tile));
      if (claimed?.byteLength !== own.length * hashBytes) return tile;
      for (const [at, hash] of own.entries())
        if (!equalBytes(hash, claimed.subarray(at * hashBytes, (at + 1) * hashBytes))) return tile;
      if (own.length === tileWidth) above.push(await foldFull(sha256, own));
    }
    hashes = above;
  }
  return undefined;
};

const foldFull = async (sha256: AnySha256, hashes: readonly Uint8Array[]): Promise<Uint8Array> => {
  let edge: Uint8Array[] = [];
  for (const [at, hash] of hashes.entries()) edge = await appendLeaf(sha256, edge, at, hash);
  const [root] = edge;
  if (root === undefined || edge.length !== 1) throw new RangeError('only a full tile has one root');
  return root;
};
