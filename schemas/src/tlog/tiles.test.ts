import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTilePath, readBundle, type Tile, tilePath, tilesOf, treeHasTile, writeBundle } from './tiles.ts';

test('tile paths are those of the specification', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: 'entries', index: 5, width: 17 }), 'tile/entries/005.p/17');
});

test('a tree of 70,000 entries has the tiles that the specification lists', () => {
  const tiles = [...tilesOf(70_000)];
  const count = (wanted: Partial<Tile>) =>
    tiles.filter((tile) => Object.entries(wanted).every(([name, value]) => tile[name as keyof Tile] === value)).length;
  assert.equal(count({ level: 0, width: 256 }), 273);
  assert.equal(count({ level: 0, width: 112 }), 1);
  assert.equal(count({ level: 1, width: 256 }), 1);
  assert.equal(count({ level: 1, width: 17 }), 1);
  assert.equal(count({ level: 2, width: 1 }), 1);
  assert.equal(tiles.filter(({ level }) => level !== 'entries').length, 277);
  assert.equal(count({ level: 'entries' }), 274);
  assert.ok(tiles.every((tile) => treeHasTile(tile, 70_000)));
  assert.deepEqual([...tilesOf(0)], []);
  assert.equal([...tilesOf(256)].length, 3);
});

test('a tile path is read back as it was written, and no other spelling is taken', () => {
  const tiles = fc.record({
    level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
    index: fc.integer({ min: 0, max: 2 ** 45 }),
    width: fc.integer({ min: 1, max: 256 }),
  });
  fc.assert(fc.property(tiles, (tile) => assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile })));
  for (const path of [
    'tile/00/000',
    'tile/0/0',
    'tile/0/x000/001',
    'tile/0/001.p/256',
    'tile/0/001.p/0',
    'tile/64/000',
    'tile/0/../1',
  ])
    assert.equal(parseTilePath(path), undefined, path);
});

test('a bundle gives back its entries, and one that is cut short is none', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 20 }), (entries) => {
      const bundle = writeBundle(entries);
      assert.deepEqual(
        readBundle(bundle),
        entries.map((entry) => Uint8Array.from(entry)),
      );
      assert.equal(readBundle(bundle.slice(0, -1))?.length === entries.length, false);
    }),
  );
  assert.throws(() => writeBundle([new Uint8Array(65_536)]), RangeError);
});
