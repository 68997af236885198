import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeId, Issuer, SubjectTemplate } from '@postern/schemas';
import fc from 'fast-check';
import { claimAt, subjectIn, unmetClaim } from './subject.ts';

const template = (id: string) => ({ type: 'workload' as const, id });
const nameOf = (claims: Record<string, unknown>, id: string): string | undefined => {
  const found = subjectIn(claims, template(id));
  return 'name' in found ? found.name : undefined;
};

test('two tokens that differ in a claim of the template never name the same one, whatever stands in the claims', () => {
  const value = fc
    .array(fc.constantFrom('|', ':', '%', '%7C', '%3A', '%25', '/', '#', 'a', 'A', '', '=', '7C', '*'), {
      minLength: 1,
      maxLength: 5,
    })
    .map((parts) => parts.join(''))
    .filter((text) => text !== '');
  const id = fc.constantFrom('ci|{a}|{b}', '{a}:{b}', 'x:{a}:ref:{b}', '{a}||{b}|z');
  fc.assert(
    fc.property(id, value, value, value, value, (written, a, b, c, d) => {
      const [one, other] = [nameOf({ a, b }, written), nameOf({ a: c, b: d }, written)];
      assert.ok(one !== undefined && other !== undefined);
      assert.equal(encodeId(one) === encodeId(other), a === c && b === d);
    }),
    { numRuns: 5_000 },
  );
});

test('a claim that is missing, empty, a number or an object names nobody', () => {
  for (const b of [undefined, '', 7, true, null, {}, ['x']]) assert.equal(nameOf({ a: 'x', b }, '{a}|{b}'), undefined);
  assert.equal(nameOf({ a: 'x' }, '{a}|{constructor}'), undefined);
});

test('a template in which two tokens could meet is no template', () => {
  for (const bad of ['{a}{b}', '{a}-{b}', '{a}x|{b}', 'everybody', '{}', '{a b}', '{a}|{b', 'a}|{b}'])
    assert.equal(SubjectTemplate.safeParse(bad).success, false, bad);
  // As Auth0 has it.
  for (const good of [
    '{https://example.com/uid}',
    '{a}',
    'x{a}',
    'x|{a}|{b}',
    '{a}:b:{c}',
    '{/kubernetes.io/namespace}|{/kubernetes.io/pod/name}',
  ])
    assert.ok(SubjectTemplate.safeParse(good).success, good);
  const issuer = { issuer: 'https://i.test', audience: ['x'] };
  for (const subject of [{ type: 'workload' }, { type: 'workload', claim: 'sub', id: '{a}' }])
    assert.equal(Issuer.safeParse({ ...issuer, subject }).success, false);
});

test('a JSON pointer finds what lies deeper, and nothing that the token does not say itself', () => {
  const claims = { 'kubernetes.io': { namespace: 'prod', 'a/b': { '~': 'x' } } };
  assert.equal(claimAt(claims, '/kubernetes.io/namespace'), 'prod');
  assert.equal(claimAt(claims, '/kubernetes.io/a~1b/~0'), 'x');
  for (const nothing of ['/kubernetes.io/toString', '/kubernetes.io/namespace/length', '/nothing/at/all', '__proto__'])
    assert.equal(claimAt(claims, nothing), undefined, nothing);
});

test('a required claim has one of its values exactly; one that ends with * stands for all that begin so', () => {
  const required = { owner: ['42'], ref: ['refs/heads/main', 'refs/tags/v*'], protected: [true] };
  const good = { owner: '42', ref: 'refs/heads/main', protected: true };
  assert.equal(unmetClaim(good, required), undefined);
  assert.equal(unmetClaim({ ...good, ref: 'refs/tags/v1' }, required), undefined);
  for (const [name, value] of [
    ['owner', 42],
    ['owner', '421'],
    ['owner', ['42']],
    ['ref', 'refs/heads/Main'],
    ['ref', 'refs/heads/main2'],
    ['ref', 'refs/tags/V1'],
    ['protected', 'true'],
    ['protected', undefined],
  ] as const)
    assert.equal(unmetClaim({ ...good, [name]: value }, required), name, `${name}: ${value}`);
});
