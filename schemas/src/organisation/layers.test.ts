import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layered } from './layers.ts';

type Act = readonly ['set' | 'delete' | 'in' | 'out' | 'drop', number, number];
const acts = fc.array(fc.tuple(fc.constantFrom<Act[0][]>('set', 'delete', 'in', 'out', 'drop'), fc.nat(6), fc.nat(6)), {
  maxLength: 60,
});
type Nested = Map<number, number | Set<number>>;
const carryOut = (all: Nested, [what, key, value]: Act): unknown => {
  const found = all.get(key);
  if (what === 'set') return all.set(key, value).size;
  if (what === 'delete') return all.delete(key);
  if (what === 'drop') return value === 0 ? all.clear() : undefined;
  if (found instanceof Set) return what === 'in' ? found.add(value).size : found.delete(value);
  return all.set(key, new Set([value])).has(key);
};
const shown = (all: Nested) => ({
  entries: [...all].map(([key, value]) => [key, typeof value === 'number' ? value : [...value]]),
  keys: [...all.keys()],
  values: [...all.values()].map((value) => (typeof value === 'number' ? value : [value.size, ...value])),
  size: all.size,
  has: Array.from({ length: 7 }, (_, key) => all.has(key)),
});

test('a layer is what a map would be, entry for entry, and what lies under it stays as it was', () => {
  fc.assert(
    fc.property(acts, acts, acts, (first, second, third) => {
      const under: Nested = new Map();
      const plain: Nested = new Map();
      for (const act of first) for (const each of [under, plain]) carryOut(each, act);
      const before = shown(under);
      let over = layered(under);
      for (const [at, act] of [...second, ...third].entries()) {
        // Layers lie on layers.
        if (at === second.length) over = layered(over);
        assert.deepEqual(carryOut(over, act), carryOut(plain, act));
        assert.deepEqual(shown(over), shown(plain));
      }
      assert.deepEqual(shown(under), before);
    }),
  );
});
