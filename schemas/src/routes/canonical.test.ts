import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasQueryParameter, readTarget } from './canonical.ts';

const refusedTargets = [
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/%2E%2E/admin',
  '/public/.%2e/admin',
  '/public/..%2fadmin',
  '/public/..%2Fadmin',
  '/public/..\\admin',
  '/public/..%5cadmin',
  '/public/..%5Cadmin',
  '/public/%252e%252e/admin',
  '/public/..;/admin',
  '/admin;x=1',
  '/admin%3Bx=1',
  '//admin',
  '/public//../admin',
  '/public//x',
  '/%61dmin',
  '/public/x#/../../admin',
  '/public/x%23',
  'http://evil/admin',
  'https://evil/admin',
  'admin',
  '*',
  '',
  '/users/%2e',
  '/users/.',
  '/users/..',
  '/users/1%2f..%2f2',
  '/users/1%2F..%2F2',
  '/api%2e/admin/secret',
  '/users/1%00',
  '/users/1%09',
  '/users/1%zz',
  '/users/1%7F',
  '/users/1%',
  '/users/1%2',
  '/users/%C3',
  '/users/%C0%AF',
  '/users/%E0%80%AF',
  '/users/%ED%A0%80',
  '/users/%F8%80%80%80%80',
  '/users/%C2%85',
  '/users/%c3%a9',
  '/users/x y',
  '/users/\u00e9',
  '/users/\u0131',
  '/users/{id}',
  '/a|b',
  '/a^b',
  '/a"b',
  '/a<b',
  '/a[0]',
  '/a`b',
  '/x%3Fy',
  '/x%25',
  '/x?a=#b',
  '/x?a b',
  '/x?\u0000',
  '/x\t',
  '/x\r\nHost: y',
  `/${'a'.repeat(8_000)}`,
];
const readTargets: readonly (readonly [string, readonly string[]])[] = [
  ['/', ['']],
  ['/users/1', ['users', '1']],
  ['/users/', ['users', '']],
  ['/ok/%C3%A9', ['ok', 'é']],
  ['/ok/x%20y', ['ok', 'x y']],
  ['/ok?x=../y', ['ok']],
  ['/a/ann%40example.com', ['a', 'ann@example.com']],
  ['/a/ann@example.com', ['a', 'ann@example.com']],
  ['/compare/a...b', ['compare', 'a...b']],
  ['/v1/x:cancel', ['v1', 'x:cancel']],
  ['/v1/x%3Acancel', ['v1', 'x:cancel']],
  ['/..a/.b', ['..a', '.b']],
  ['/a%7Bb%7D', ['a{b}']],
  ['/x?a=%2F..&b=%zz', ['x']],
  ["/~a-b_c.d!$&'()*+,=:@", ["~a-b_c.d!$&'()*+,=:@"]],
];

test('refuses every target that another reader could understand as another path', () => {
  for (const target of refusedTargets) {
    const read = readTarget(target);
    assert.equal(read.outcome, 'ambiguous', JSON.stringify(target));
  }
});

test('reads what needs no repair, and leaves it as it was', () => {
  for (const [target, segments] of readTargets) {
    const read = readTarget(target);
    assert.equal(read.outcome, 'read', `${target}: ${read.outcome === 'ambiguous' && read.why}`);
    if (read.outcome !== 'read') continue;
    assert.equal(read.path + read.query, target);
    assert.deepEqual(read.segments, segments);
  }
});

const pieces = [
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  '\\',
  ';',
  '#',
  '?',
  '%25',
  '%00',
  '%zz',
  '%',
  '%C3%A9',
  '%c3%a9',
  '%C3',
  '%20',
  ' ',
  'a',
  'Z',
  '0',
  '-',
  '_',
  '~',
  '@',
  ':',
  '%40',
  '%3A',
  '%61',
  '+',
  '=',
  '&',
  '\t',
  '\n',
  '\u00e9',
  '%E2%80%8B',
  '%EF%BC%8F',
  '%F0%9F%98%80',
  'http:',
  'admin',
  '{x}',
  '|',
  '^',
  '"',
  "'",
];
const target = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { minLength: 0, maxLength: 12 }).map((parts) => `/${parts.join('')}`),
  fc.array(fc.constantFrom(...pieces, '/', '/', 'a', 'b'), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `/${text}`),
  fc
    .array(
      fc
        .string({ minLength: 1, maxLength: 8 })
        .filter((text) => text.isWellFormed())
        .map(encodeURIComponent),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => `/${parts.join('/')}`),
);
const seed = Number(process.env['SEED'] ?? 20261124);

test(`whatever is read, a URL parser leaves unchanged and a decoding server sees the same segments (seed ${seed})`, () => {
  let accepted = 0;
  fc.assert(
    fc.property(target, (raw) => {
      const read = readTarget(raw);
      if (read.outcome !== 'read') return;
      accepted++;
      assert.equal(read.path + read.query, raw);
      const url = new URL(raw, 'http://h');
      assert.equal(url.pathname, read.path);
      assert.equal(url.host, 'h');
      assert.equal(url.hash, '');
      const decodedWhole = decodeURIComponent(read.path).slice(1).split('/');
      assert.deepEqual(decodedWhole, read.segments);
      assert.deepEqual(read.path.slice(1).split('/').map(decodeURIComponent), read.segments);
      // Decoded once more it is still the same: nothing is left to decode.
      for (const segment of read.segments) assert.ok(!segment.includes('%'));
    }),
    { numRuns: 20_000, seed },
  );
  assert.ok(accepted > 1_000, `only ${accepted} targets were read: the generator proves nothing`);
});

test('finds a query parameter however its name is spelled', () => {
  assert.equal(hasQueryParameter('?a=1&_method=DELETE', '_method'), true);
  assert.equal(hasQueryParameter('?%5Fmethod=DELETE', '_method'), true);
  assert.equal(hasQueryParameter('?my_method=DELETE', '_method'), false);
  assert.equal(hasQueryParameter('', '_method'), false);
});
