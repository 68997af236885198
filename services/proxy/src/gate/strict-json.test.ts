import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { folded, jsonDepthMax, parseStrictJson, parseStrictText } from './strict-json.ts';

const why = (text: string): string | undefined => {
  const read = parseStrictText(text);
  return 'why' in read ? read.why : undefined;
};

test('a name that stands twice in one object is refused, however it is spelled and wherever the object lies', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"a":1,"x":[{}],"a":1}}]',
    '{"a":{"a":1},"b":[1,2],"a":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ])
    assert.match(why(text) ?? '', /stands twice/, text);
  for (const text of [
    '{"a":{"a":1},"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":["a","a"]}',
    '{"a":"\\"a\\":1,"}',
    '{"A":1,"a":2}',
  ])
    assert.equal(why(text), undefined, text);
});

test('what is not JSON for everybody is refused', () => {
  for (const text of ['', '{', '\ufeff{}', "{'a':1}", '{"a":1,}', '// x\n{}', 'NaN', '01'])
    assert.notEqual(why(text), undefined, text);
  assert.match(why(`${'['.repeat(jsonDepthMax + 1)}${']'.repeat(jsonDepthMax + 1)}`) ?? '', /too deeply/);
  assert.match(why('{"\\ud800":1}') ?? '', /not text/);
  for (const bytes of [
    [0xff, 0xfe],
    [0x22, 0xc0, 0x80, 0x22],
    [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
  ])
    assert.ok('why' in parseStrictJson(Uint8Array.from(bytes)));
});

test('whatever JSON.stringify writes is read as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'medium' }), (value) => {
      assert.deepEqual(parseStrictText(JSON.stringify(value, undefined, 1)), {
        value: JSON.parse(JSON.stringify(value)),
      });
    }),
  );
});

test('of two members with one name, one is always noticed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), fc.jsonValue(), (name, a, b) => {
      const key = JSON.stringify(name);
      const [first, second] = [JSON.stringify(a), JSON.stringify(b)];
      assert.match(why(`{"o":[{${key} : ${first} , ${key}:${second}}]}`) ?? '', /twice/);
    }),
  );
});

test('names that readers without regard to case take for one another are folded to one', () => {
  for (const name of ['name', 'Name', 'NAME', 'nAmE']) assert.equal(folded(name), 'name');
  assert.equal(folded('\u212a'), 'k');
  assert.equal(folded('\u017f'), 's');
});
