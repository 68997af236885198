import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from '@postern/schemas';
import { cookieText, fits } from './cookies.ts';

const text = (origin: string | undefined, gateHasTls = false) =>
  cookieText('postern_session', 'x', { origin, gateHasTls });

test('a cookie is for https alone, or for this machine; over any other clear line nobody signs in', () => {
  assert.match(text('https://gate.test'), /; HttpOnly; SameSite=Strict; Secure$/);
  assert.match(text(undefined), /; Secure$/);
  assert.match(text('http://127.0.0.1:8080', true), /; Secure$/);
  for (const origin of ['http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:8080'])
    assert.match(text(origin), /; HttpOnly; SameSite=Strict$/);
  for (const origin of ['http://gate.test', 'http://127.0.0.1.gate.test', 'http://localhost.gate.test:80', 'null'])
    assert.throws(
      () => text(origin),
      (error) => isProblem(error) && error.code === 'console/clear-line',
      origin,
    );
});

test('what no cookie can hold is not put into one', () => {
  assert.equal(fits('a.b-c_d~e+f/g='), true);
  for (const value of ['a;b', 'a b', 'a"b', 'a\nb', 'a,b', 'ä', 'x'.repeat(4_000)]) assert.equal(fits(value), false);
});
