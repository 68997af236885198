import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeId, encodeId } from './ids.ts';

test('an outside id comes back from the graph as it went in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (raw) => {
      fc.pre(raw.isWellFormed() && raw.normalize('NFC') === raw);
      const id = encodeId(raw);
      assert.match(id, /^[A-Za-z0-9/_|+=-]+$/);
      assert.equal(decodeId(id), raw);
    }),
  );
});

test('two spellings of one name are not two subjects', () => {
  assert.throws(() => encodeId('Zoe\u0308'), /NFC/);
  for (const spelled of ['=41', '=4', 'a=', '=c3=a9']) assert.throws(() => decodeId(spelled), RangeError, spelled);
});
