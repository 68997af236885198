import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResponseHead } from './response-head.ts';

const read = (lines: readonly string[], method = 'GET') => readResponseHead(`${lines.join('\r\n')}\r\n`, method);
const ok = 'HTTP/1.1 200 OK';

test('an answer whose end could be read in two ways is not read at all', () => {
  const refused: readonly (readonly string[])[] = [
    [ok, 'Content-Length: 3', 'Content-Length: 3'],
    [ok, 'Content-Length: 3', 'Transfer-Encoding: chunked'],
    [ok, 'Content-Length: +3'],
    [ok, 'Content-Length: 3, 3'],
    [ok, 'Content-Length: 0x3'],
    [ok, 'Content-Length: '],
    [ok, 'Content-Length: 9999999999999999'],
    [ok, 'Transfer-Encoding: gzip, chunked'],
    [ok, 'Transfer-Encoding: identity'],
    [ok, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ['HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'],
    [ok, 'Content-Length : 3'],
    [ok, ' Content-Length: 3'],
    [ok, 'A: b', ' c'],
    [ok, 'A: b', '\tc'],
    [ok, 'A: b\nContent-Length: 3'],
    [ok, 'A: b\rContent-Length: 3'],
    [ok, 'A: b\0'],
    [ok, 'A: b\x7f'],
    [ok, 'no colon'],
    [ok, ': no name'],
    [ok, 'na me: x'],
    [ok, 'n\xe4me: x'],
  ];
  for (const lines of refused) assert.ok('why' in read(lines), JSON.stringify(lines));
});

test('what does not begin with a status line of HTTP/1 is no answer', () => {
  for (const line of [
    'HTTP/2.0 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 0x1 ',
    'HTTP/1.1 -20 ',
    'http/1.1 200 OK',
    'ICY 200 OK',
    'GET / HTTP/1.1',
    '',
  ])
    assert.ok('why' in read([line]), line);
  assert.deepEqual(
    [read(['HTTP/1.1 204']), read(['HTTP/1.1 200 '])].map((head) => 'status' in head && [head.status, head.message]),
    [
      [204, ''],
      [200, ''],
    ],
  );
});

test('how long the body is follows from the request, the status and the head, in that order', () => {
  const body = (lines: readonly string[], method?: string) => {
    const head = read(lines, method);
    return 'why' in head ? head.why : head.body;
  };
  assert.equal(body([ok, 'content-LENGTH: \t12 ']), 12);
  assert.equal(body([ok, 'Transfer-Encoding: Chunked']), 'chunked');
  assert.equal(body([ok]), 'to-the-end');
  assert.equal(body([ok, 'Content-Length: 12'], 'HEAD'), 0);
  assert.equal(body([ok, 'Transfer-Encoding: chunked'], 'HEAD'), 0);
  assert.equal(body(['HTTP/1.1 304 Not Modified', 'Content-Length: 12']), 0);
  assert.equal(body(['HTTP/1.1 204 No Content']), 0);
  assert.equal(body(['HTTP/1.1 103 Early Hints', 'Link: </a>']), 0);
});

test('a connection is used again only where both sides have said so', () => {
  const persists = (lines: readonly string[]) => {
    const head = read([...lines, 'Content-Length: 0']);
    return 'why' in head ? head.why : head.persists;
  };
  assert.equal(persists([ok]), true);
  assert.equal(persists([ok, 'Connection: Close']), false);
  assert.equal(persists([ok, 'Connection: x-other', 'Connection: close']), false);
  assert.equal(persists(['HTTP/1.0 200 OK']), false);
  assert.equal(persists(['HTTP/1.0 200 OK', 'Connection: keep-alive']), true);
  const head = read([ok, 'Keep-Alive: timeout=72, max=100', 'Content-Length: 0']);
  assert.equal('why' in head ? head.why : head.keepsMs, 72_000);
});

test('names and values are what came, octet for octet, without the spaces around a value', () => {
  const head = read([ok, 'X-One:  a  b\t', 'x-one:', 'Set-Cookie: caf\xe9', 'Content-Length: 0']);
  assert.deepEqual('why' in head ? head.why : head.raw, [
    'X-One',
    'a  b',
    'x-one',
    '',
    'Set-Cookie',
    'caf\xe9',
    'Content-Length',
    '0',
  ]);
});
