import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCookies, presentedIn, type SessionRequest, sessionOf } from './session-cookie.ts';

test("the console's cookie is taken out, and every other cookie stays as it was", () => {
  assert.deepEqual(parseCookies('a=1; b="2"'), { rest: 'a=1; b="2"', sessions: [] });
  assert.deepEqual(parseCookies('a=1; postern_session=psk_x;b=2'), { rest: 'a=1; b=2', sessions: ['psk_x'] });
  assert.deepEqual(parseCookies('postern_session=psk_x'), { rest: undefined, sessions: ['psk_x'] });
  // A name or a value that only holds the text is somebody else's.
  assert.deepEqual(parseCookies('xpostern_session=1; c=postern_session=2'), {
    rest: 'xpostern_session=1; c=postern_session=2',
    sessions: [],
  });
});

test("it counts for Postern's own API, asked for by its page, of the gate's own origin, and where there is one of it", () => {
  const good: SessionRequest = {
    sessions: ['psk_x'],
    asked: true,
    path: '/.postern/requests/mine',
    origin: 'https://gate.test',
    self: 'https://gate.test',
  };
  assert.equal(sessionOf(good), 'psk_x');
  assert.equal(sessionOf({ ...good, origin: undefined }), 'psk_x');
  const others: readonly Partial<SessionRequest>[] = [
    { sessions: [] },
    { sessions: ['psk_x', 'psk_y'] },
    { sessions: ['psk_x', 'psk_x'] },
    { asked: false },
    { path: '/payroll/employees' },
    { path: '/.posternal/x' },
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: 'http://gate.test' },
  ];
  for (const each of others) assert.equal(sessionOf({ ...good, ...each }), undefined, JSON.stringify(each));
});

test('what the cookie holds is judged as in its own header, and any header goes before it', () => {
  assert.deepEqual(presentedIn(undefined, undefined, 'psk_x'), { authorization: undefined, apiKey: 'psk_x' });
  assert.deepEqual(presentedIn(undefined, undefined, 'a.b.c'), { authorization: 'Bearer a.b.c', apiKey: undefined });
  assert.deepEqual(presentedIn('Bearer d', undefined, 'a.b.c'), { authorization: 'Bearer d', apiKey: undefined });
  assert.deepEqual(presentedIn(undefined, 'psk_y', 'a.b.c'), { authorization: undefined, apiKey: 'psk_y' });
  assert.deepEqual(presentedIn(undefined, undefined, undefined), { authorization: undefined, apiKey: undefined });
});
