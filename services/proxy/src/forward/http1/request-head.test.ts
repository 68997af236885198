import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestHead, Unsendable } from './request-head.ts';

test('a head is the lines that it was made of', () => {
  assert.equal(
    requestHead('POST', '/a?b', ['Host', 'api', 'X-Name', 'caf\xe9'], 'Transfer-Encoding: chunked\r\n'),
    'POST /a?b HTTP/1.1\r\nHost: api\r\nX-Name: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
});

test('no value brings a line of its own, nor what becomes one when it is cut to a byte', () => {
  for (const value of ['a\r\nX: y', 'a\nX: y', 'a\rX: y', 'a\0', 'a\u010aX: y', 'a\u010d', 'Ā'])
    for (const [path, header] of [
      ['/', value],
      [`/${value}`, 'plain'],
    ] as const)
      assert.throws(
        () => requestHead('GET', path, ['Host', 'api', 'X-Name', header], ''),
        Unsendable,
        JSON.stringify(value),
      );
});
