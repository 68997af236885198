/** RFC 6962 §2.1.1 and §2.1.2: making inclusion and consistency proofs from the hashes of full subtrees. */
import { edgeRoot, growEdge } from './edge.ts';
import { nodeHash, type Sha256 } from './hash.ts';

/** The tree hash of the entries [from, to): a full subtree, whose length is a power of two that divides `from`. */
export type SubtreeRoot = (from: number, to: number) => Promise<Uint8Array>;
/** The leaf hashes [from, to) in order. */
export type Leaves = (from: number, to: number) => Promise<readonly Uint8Array[]>;

/** Subtree roots straight from the leaves: right at any size, and linear in it; keep what is full where that is too slow. */
export const subtreesOf =
  (sha256: Sha256, leaves: Leaves): SubtreeRoot =>
  async (from, to) =>
    edgeRoot(sha256, growEdge(sha256, [], 0, await leaves(from, to)));

/** The largest power of two smaller than `count`, for a count of two or more. */
export const splitAt = (count: number): number => {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
};

/** MTH(D[from:to]), where the entries [from, to) are a left-aligned part of the tree. */
export const rangeRoot = async (
  sha256: Sha256,
  subtree: SubtreeRoot,
  from: number,
  to: number,
): Promise<Uint8Array> => {
  const count = to - from;
  if (count < 1) throw new RangeError('an empty range has no subtree');
  const split = count === 1 ? 1 : splitAt(count);
  if (split * 2 === count || count === 1) return subtree(from, to);
  return nodeHash(sha256, await subtree(from, from + split), await rangeRoot(sha256, subtree, from + split, to));
};

/** The hashes that lead from the leaf at `index` to the root of the tree of `size`, the leaf's sibling first. */
export const proveInclusion = async (
  sha256: Sha256,
  subtree: SubtreeRoot,
  index: number,
  size: number,
): Promise<Uint8Array[]> => {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
    throw new RangeError(`a tree of ${size} entries has no index ${index}`);
  const path: Uint8Array[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitAt(to - from);
    const [siblingFrom, siblingTo] = index < middle ? [middle, to] : [from, middle];
    path.unshift(await rangeRoot(sha256, subtree, siblingFrom, siblingTo));
    [from, to] = index < middle ? [from, middle] : [middle, to];
  }
  return path;
};

/** Proves that the tree of `size` begins with the tree of `oldSize`; empty where the one is empty or both are the same. */
export const proveConsistency = async (
  sha256: Sha256,
  subtree: SubtreeRoot,
  oldSize: number,
  size: number,
): Promise<Uint8Array[]> => {
  if (!(oldSize >= 0 && oldSize <= size)) throw new RangeError(`${oldSize} is no earlier size of ${size}`);
  const path: Uint8Array[] = [];
  let [from, to] = [0, size];
  if (oldSize === 0 || oldSize === size) return path;
  while (oldSize !== to) {
    const middle = from + splitAt(to - from);
    if (oldSize <= middle) {
      path.unshift(await rangeRoot(sha256, subtree, middle, to));
      to = middle;
    } else {
      path.unshift(await rangeRoot(sha256, subtree, from, middle));
      from = middle;
    }
  }
  // The old tree itself needs no proving where it is a subtree of the new one from the very beginning.
  if (from > 0) path.unshift(await rangeRoot(sha256, subtree, from, to));
  return path;
};
