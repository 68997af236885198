import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sequence } from '@postern/schemas';
import { type Asked, type Decided, decisionCache } from './cache.ts';

const asked = (endpoint: string, ...subjects: string[]): Asked => ({ endpoint, subjects, caller: subjects.join(' ') });
const allow = (sequence: number, ...dependsOn: ('now' | 'ip' | 'country')[]): Decided => ({
  outcome: 'allow',
  sequence: sequence as Sequence,
  dependsOn,
});
const at = (second: number, ip?: string) => ({ now: `2026-11-24T09:00:0${second}Z`, ...(ip !== undefined && { ip }) });
const ann = asked('api/read', 'credential:k', 'user:ann');

test('an invalidation ends what it touches and nothing else', () => {
  const cache = decisionCache(10);
  const bob = asked('api/read', 'user:bob');
  const write = asked('api/write', 'user:ann');
  for (const each of [ann, bob, write]) assert.equal(cache.keep(each, at(0), allow(5)), true);
  cache.invalidate([{ kind: 'subject', subject: 'credential:k' }], 6 as Sequence);
  assert.deepEqual(
    [ann, bob, write].map((each) => cache.find(each, at(0))?.outcome),
    [undefined, 'allow', 'allow'],
  );
  cache.invalidate([{ kind: 'endpoint', endpoint: 'api/write' }], 7 as Sequence);
  assert.deepEqual(
    [bob, write].map((each) => cache.find(each, at(0))?.outcome),
    ['allow', undefined],
  );
  cache.invalidate([{ kind: 'epoch' }], 8 as Sequence);
  assert.equal(cache.find(bob, at(0)), undefined);
  assert.equal(cache.size(), 0);
});

test('an answer that a fact has overtaken is not kept, one that knew of it is', () => {
  const cache = decisionCache(10);
  cache.invalidate([{ kind: 'subject', subject: 'user:ann' }], 6 as Sequence);
  assert.equal(cache.keep(ann, at(0), allow(5)), false);
  assert.equal(cache.find(ann, at(0)), undefined);
  assert.equal(cache.keep(ann, at(0), allow(6)), true);
  assert.equal(cache.find(ann, at(0))?.outcome, 'allow');
});

test('a decision holds for the values of the fields that it depends on, and for no others', () => {
  const cache = decisionCache(10);
  cache.keep(ann, at(0, '10.0.0.1'), allow(5, 'ip'));
  assert.equal(cache.find(ann, at(1, '10.0.0.1'))?.outcome, 'allow');
  assert.equal(cache.find(ann, at(0, '10.0.0.2')), undefined);
  assert.equal(cache.find(ann, at(0)), undefined);
  cache.keep(ann, at(0, '10.0.0.2'), { ...allow(5, 'now'), outcome: 'deny', reason: 'condition-unmet' });
  assert.equal(cache.find(ann, at(0, '10.0.0.2'))?.outcome, 'deny');
  assert.equal(cache.find(ann, at(1, '10.0.0.2')), undefined);
});

test('what is used stays, what is not goes, and the limit is kept', () => {
  const cache = decisionCache(10);
  cache.keep(ann, at(0), allow(1));
  const once = asked('api/once', 'user:ann');
  cache.keep(once, at(0), allow(1));
  for (let index = 0; index < 100; index++) {
    assert.equal(cache.find(ann, at(0))?.outcome, 'allow');
    cache.keep(asked(`api/${index}`, 'user:ann'), at(0), allow(1));
    assert.ok(cache.size() <= 10);
  }
  assert.equal(cache.find(once, at(0)), undefined);
  const none = decisionCache(0);
  assert.equal(none.keep(ann, at(0), allow(1)), true);
  assert.equal(none.find(ann, at(0)), undefined);
});

test('a decision that is hit a hundred thousand times among many costs no more than the first time', () => {
  const cache = decisionCache(100_000);
  for (let index = 0; index < 60_000; index++) cache.keep(asked(`api/${index}`, 'user:ann'), at(0), allow(1));
  cache.keep(ann, at(0), allow(1));
  // Were it linear in the hits so far, this would take minutes.
  for (let index = 0; index < 100_000; index++) assert.equal(cache.find(ann, at(0))?.outcome, 'allow');
});

test('more marks than are worth remembering become an epoch', () => {
  const cache = decisionCache(10);
  cache.keep(ann, at(0), allow(5));
  for (let index = 0; index <= 50_000; index++)
    cache.invalidate([{ kind: 'subject', subject: `user:${index}` }], 6 as Sequence);
  assert.equal(cache.find(ann, at(0)), undefined);
  assert.equal(cache.keep(ann, at(0), allow(5)), false);
  assert.equal(cache.keep(ann, at(0), allow(6)), true);
});
