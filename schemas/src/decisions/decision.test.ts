import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recordedScopes } from './decision.ts';

test('scopes are written down each once and in order, bounded, and how many are not is said', () => {
  assert.deepEqual(recordedScopes(['b', 'a', 'b']), { scopes: ['a', 'b'] });
  assert.deepEqual(recordedScopes([]), { scopes: [] });
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 300 }), { maxLength: 300 }), (given) => {
      const { scopes, scopesBeyond = 0 } = recordedScopes(given);
      assert.equal(scopes.length + scopesBeyond, new Set(given).size);
      assert.ok(scopes.length <= 100 && scopes.join('').length <= 2_000);
      assert.deepEqual(scopes, [...new Set(given)].sort().slice(0, scopes.length));
    }),
  );
});
