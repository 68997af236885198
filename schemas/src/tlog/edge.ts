/**
 * The right edge of a growing tree: the roots of the full subtrees that make it up, largest first. A tree of n entries has as
 * many as n has bits set, and they are all that is needed to go on hashing.
 */
import { type AnySha256, emptyRoot, nodeHash, type Sha256 } from './hash.ts';

export type Edge = readonly Uint8Array[];

/** The edge of the tree of `size` entries once `leaves` (leaf hashes) are appended. */
export const growEdge = (sha256: Sha256, edge: Edge, size: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (edge.length !== edgeLength(size))
    throw new RangeError(`an edge of ${edge.length} hashes is none of size ${size}`);
  const grown = [...edge];
  let count = size;
  for (const leaf of leaves) {
    let root = leaf;
    // Each trailing one of the size is a full subtree as large as the one just completed: they become one.
    for (let rest = count; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = grown.pop();
      if (left === undefined) throw new RangeError('the edge does not belong to this size');
      root = nodeHash(sha256, left, root);
    }
    grown.push(root);
    count++;
  }
  return grown;
};

/** The Merkle tree hash of the tree whose edge this is. */
export const edgeRoot = (sha256: Sha256, edge: Edge): Uint8Array => {
  const [smallest, ...larger] = [...edge].reverse();
  if (smallest === undefined) return emptyRoot();
  return larger.reduce((right, left) => nodeHash(sha256, left, right), smallest);
};

/** How many full subtrees a tree of `size` entries is made of. */
export const edgeLength = (size: number): number => {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
};

/** As {@link growEdge} with one leaf, for whoever verifies with WebCrypto. */
export const appendLeaf = async (
  sha256: AnySha256,
  edge: Edge,
  size: number,
  leaf: Uint8Array,
): Promise<Uint8Array[]> => {
  const grown = [...edge];
  let root = leaf;
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    const left = grown.pop();
    if (left === undefined) throw new RangeError('the edge does not belong to this size');
    root = await nodeHash(sha256, left, root);
  }
  return [...grown, root];
};

/** As {@link edgeRoot}. */
export const edgeRootOf = async (sha256: AnySha256, edge: Edge): Promise<Uint8Array> => {
  let root: Uint8Array | undefined;
  for (const left of [...edge].reverse()) root = root === undefined ? left : await nodeHash(sha256, left, root);
  return root ?? emptyRoot();
};
