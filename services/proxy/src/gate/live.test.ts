import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Live, liveExchanges, nowhere } from './live.ts';

const exchange = (): Live => ({ place: nowhere }) as unknown as Live;

test('whatever begins and ends in whatever order, exactly what has begun and not ended is under way', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(11), { maxLength: 200 }), (steps) => {
      const live = liveExchanges();
      const all = Array.from({ length: 12 }, exchange);
      const model = new Set<Live>();
      for (const step of steps) {
        const one = all[step] ?? assert.fail();
        if (model.delete(one)) live.delete(one);
        else {
          model.add(one);
          live.add(one);
        }
        assert.equal(live.size(), model.size);
        assert.deepEqual(new Set(live.all()), model);
        for (const each of all) assert.equal(live.has(each), model.has(each));
      }
    }),
  );
});

test('an exchange that ends twice takes no other with it', () => {
  const live = liveExchanges();
  const [one, other] = [exchange(), exchange()];
  live.add(one);
  live.add(other);
  live.delete(one);
  live.delete(one);
  assert.deepEqual(live.all(), [other]);
});

test('those under way may end while they are gone through', () => {
  const live = liveExchanges();
  for (let count = 0; count < 5; count++) live.add(exchange());
  for (const each of live.all()) live.delete(each);
  assert.equal(live.size(), 0);
});
