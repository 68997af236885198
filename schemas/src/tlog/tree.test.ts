import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { edgeLength, edgeRoot, growEdge } from './edge.ts';
import { emptyRoot, leafHash, webSha256 } from './hash.ts';
import { proveConsistency, proveInclusion, subtreesOf } from './prove.ts';
import { verifyConsistency, verifyInclusion } from './verify.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');

// The entries and roots of the test suite of the Certificate Transparency project, whose authors wrote RFC 6962.
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => leafHash(sha256, new TextEncoder().encode(`entry ${index}`)));
const rootOf = (leaves: readonly Uint8Array[]): Uint8Array => edgeRoot(sha256, growEdge(sha256, [], 0, leaves));
const subtreesIn = (leaves: readonly Uint8Array[]) =>
  subtreesOf(sha256, async (from, to) => {
    assert.equal(Math.log2(to - from) % 1, 0, 'a full subtree is asked for');
    assert.equal(from % (to - from), 0, 'and it is aligned');
    return leaves.slice(from, to);
  });
const flipped = (hash: Uint8Array, at: number): Uint8Array =>
  hash.map((byte, index) => (index === at ? byte ^ 1 : byte));

test('an edge grown entry by entry has the roots of the published test vectors', () => {
  let edge: Uint8Array[] = [];
  entries.forEach((entry, size) => {
    edge = growEdge(sha256, edge, size, [leafHash(sha256, bytes(entry))]);
    assert.equal(edge.length, edgeLength(size + 1));
    assert.equal(hex(edgeRoot(sha256, edge)), roots[size]);
  });
});

test('the root of the empty tree is the hash of nothing', () => {
  assert.deepEqual(emptyRoot(), sha256(new Uint8Array()));
  assert.deepEqual(edgeRoot(sha256, []), emptyRoot());
});

test('published inclusion and consistency proofs are made and believed', async () => {
  const leaves = entries.map((entry) => leafHash(sha256, bytes(entry)));
  const path = await proveInclusion(sha256, subtreesIn(leaves), 5, 8);
  assert.deepEqual(path.map(hex), [
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    roots[3],
  ]);
  const consistency = await proveConsistency(sha256, subtreesIn(leaves), 6, 8);
  assert.deepEqual(consistency.map(hex), [
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    roots[3],
  ]);
});

test('every entry of every size up to 70 is proven, with WebCrypto as with a synchronous hash', async () => {
  const all = leavesOf(70);
  for (let size = 1; size <= all.length; size++) {
    const leaves = all.slice(0, size);
    const root = rootOf(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const inclusion = {
        leaf,
        index,
        size,
        root,
        path: await proveInclusion(sha256, subtreesIn(leaves), index, size),
      };
      assert.ok(await verifyInclusion(inclusion, sha256), `${index} of ${size}`);
      if (size % 23 === 0) assert.ok(await verifyInclusion(inclusion, webSha256));
    }
  }
});

test('every earlier size of every size up to 70 is proven to be its beginning', async () => {
  const all = leavesOf(70);
  for (let size = 0; size <= all.length; size++)
    for (let oldSize = 0; oldSize <= size; oldSize++) {
      const path = await proveConsistency(sha256, subtreesIn(all.slice(0, size)), oldSize, size);
      const [oldRoot, root] = [rootOf(all.slice(0, oldSize)), rootOf(all.slice(0, size))];
      assert.ok(await verifyConsistency({ oldSize, size, oldRoot, root, path }, sha256), `${oldSize} in ${size}`);
    }
});

test('an inclusion proof with any byte, index or size changed proves nothing', async () => {
  const all = leavesOf(600);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 600 }), fc.nat(), fc.nat(31), async (size, pick, byte) => {
      const index = pick % size;
      const leaves = all.slice(0, size);
      const [leaf] = leaves.slice(index);
      assert.ok(leaf);
      const good = {
        leaf,
        index,
        size,
        root: rootOf(leaves),
        path: await proveInclusion(sha256, subtreesIn(leaves), index, size),
      };
      assert.ok(await verifyInclusion(good, sha256));
      const bad = [
        { ...good, leaf: flipped(leaf, byte) },
        { ...good, root: flipped(good.root, byte) },
        { ...good, index: (index + 1) % size },
        { ...good, index: size },
        { ...good, path: good.path.slice(1) },
        { ...good, path: [...good.path, leaf] },
        ...good.path.map((_, at) => ({
          ...good,
          path: good.path.map((hash, place) => (place === at ? flipped(hash, byte) : hash)),
        })),
      ];
      for (const proof of bad) assert.equal(await verifyInclusion(proof, sha256), false);
    }),
    { numRuns: 60 },
  );
});

test('a consistency proof with any byte changed, or between trees that differ, proves nothing', async () => {
  const all = leavesOf(600);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 600 }), fc.nat(), fc.nat(31), async (size, pick, byte) => {
      const oldSize = 1 + (pick % (size - 1));
      const leaves = all.slice(0, size);
      const good = {
        oldSize,
        size,
        oldRoot: rootOf(leaves.slice(0, oldSize)),
        root: rootOf(leaves),
        path: await proveConsistency(sha256, subtreesIn(leaves), oldSize, size),
      };
      assert.ok(await verifyConsistency(good, sha256));
      const rewritten = leaves
        .slice(0, oldSize)
        .map((leaf, at) => (at === pick % oldSize ? flipped(leaf, byte) : leaf));
      const bad = [
        { ...good, oldRoot: rootOf(rewritten) },
        { ...good, oldRoot: flipped(good.oldRoot, byte) },
        { ...good, root: flipped(good.root, byte) },
        { ...good, path: good.path.slice(1) },
        { ...good, path: [...good.path, new Uint8Array(randomBytes(32))] },
        ...good.path.map((_, at) => ({
          ...good,
          path: good.path.map((hash, place) => (place === at ? flipped(hash, byte) : hash)),
        })),
      ];
      for (const proof of bad) assert.equal(await verifyConsistency(proof, sha256), false);
    }),
    { numRuns: 60 },
  );
});

test('an edge is refused at a size that it does not belong to', () => {
  assert.throws(() => growEdge(sha256, leavesOf(2), 2, leavesOf(1)), RangeError);
});
