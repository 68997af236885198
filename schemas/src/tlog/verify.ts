/** RFC 9162 §2.1.3.2 and §2.1.4.2: judging proofs from the hashes alone. They answer false to whatever does not prove it. */
import { type AnySha256, emptyRoot, equalBytes, hashBytes, nodeHash, webSha256 } from './hash.ts';

export type Inclusion = {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
};

export const verifyInclusion = async (
  { leaf, index, size, path, root }: Inclusion,
  sha256: AnySha256 = webSha256,
): Promise<boolean> => {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...path])) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(sha256, sibling, hash);
      // A right edge that has no sibling at a level is carried up to the first one where it has.
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else hash = await nodeHash(sha256, hash, sibling);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(hash, root);
};

export type Consistency = {
  readonly oldSize: number;
  readonly size: number;
  readonly oldRoot: Uint8Array;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
};

export const verifyConsistency = async (
  { oldSize, size, oldRoot, root, path }: Consistency,
  sha256: AnySha256 = webSha256,
): Promise<boolean> => {
  if (!isCount(oldSize) || !isCount(size) || oldSize > size || !areHashes([oldRoot, root, ...path])) return false;
  if (oldSize === size) return path.length === 0 && equalBytes(oldRoot, root);
  if (oldSize === 0) return path.length === 0 && equalBytes(oldRoot, emptyRoot());
  let node = oldSize - 1;
  let last = size - 1;
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  // Where the old tree is a full subtree of the new one, its root is the first hash, and it is not sent.
  const hashes = node === 0 ? [oldRoot, ...path] : path;
  const [first, ...rest] = hashes;
  if (first === undefined) return false;
  let [older, newer] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = await nodeHash(sha256, sibling, older);
      newer = await nodeHash(sha256, sibling, newer);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else newer = await nodeHash(sha256, newer, sibling);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(older, oldRoot) && equalBytes(newer, root);
};

// Sizes go beyond 2^31, where the bit operators would wrap.
const half = (value: number): number => Math.floor(value / 2);
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every((hash) => hash.byteLength === hashBytes);
