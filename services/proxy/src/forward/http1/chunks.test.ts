import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readChunks } from './chunks.ts';

/** What is read of octets that come in these pieces. */
const readIn = (pieces: readonly Buffer[]) => {
  const content: Buffer[] = [];
  const chunks = readChunks(
    (piece) => void content.push(Buffer.from(piece)),
    () => false,
  );
  const left: Buffer[] = [];
  let end: number | { readonly why: string } | undefined;
  for (const piece of pieces) {
    if (typeof end === 'number') left.push(piece);
    else if (end === undefined) {
      end = chunks.take(piece, 0);
      if (typeof end === 'number') left.push(piece.subarray(end));
    }
  }
  if (typeof end === 'object') return end;
  return {
    ended: end !== undefined,
    content: Buffer.concat(content).toString('latin1'),
    trailers: chunks.trailers(),
    left: Buffer.concat(left).toString('latin1'),
  };
};
const cutAt = (octets: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (octets.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => octets.subarray(from, places[index] ?? octets.length));
};

test('a body in chunks is the same wherever its octets are cut, and what comes behind it is not part of it', () => {
  const extension = fc.constantFrom('', ';a=b', ' ;x', ';q="z"');
  const body = fc.record({
    chunks: fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), extension)),
    trailers: fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,8}$/), fc.stringMatching(/^[a-z0-9]{0,8}$/)), {
      maxLength: 3,
    }),
    behind: fc.constantFrom('', 'HTTP/1.1 200 OK\r\n'),
    upper: fc.boolean(),
  });
  fc.assert(
    fc.property(body, fc.array(fc.nat(), { maxLength: 30 }), ({ chunks, trailers, behind, upper }, cuts) => {
      const size = (length: number): string =>
        upper ? length.toString(16).toUpperCase().padStart(3, '0') : length.toString(16);
      const octets = Buffer.concat([
        ...chunks.flatMap(([content, extra]) => [
          Buffer.from(`${size(content.length)}${extra}\r\n`),
          content,
          Buffer.from('\r\n'),
        ]),
        Buffer.from(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${behind}`),
      ]);
      assert.deepEqual(readIn(cutAt(octets, cuts)), {
        ended: true,
        content: Buffer.concat(chunks.map(([content]) => content)).toString('latin1'),
        trailers: trailers.flat(),
        left: behind,
      });
    }),
  );
});

test('chunks that could be read in two ways are not read', () => {
  const refused = [
    '3\nabc\r\n0\r\n\r\n',
    '3\r\nabc\n0\r\n\r\n',
    '3\r\nabcd\r\n0\r\n\r\n',
    '3\r\nab\r\n0\r\n\r\n',
    '0x3\r\nabc\r\n0\r\n\r\n',
    '+3\r\nabc\r\n0\r\n\r\n',
    '-3\r\nabc\r\n0\r\n\r\n',
    ' 3\r\nabc\r\n0\r\n\r\n',
    '\r\nabc\r\n0\r\n\r\n',
    '3;a\rb\r\nabc\r\n0\r\n\r\n',
    'fffffffffffffff\r\nabc',
    '0\r\nno colon\r\n\r\n',
    '0\r\na : b\r\n\r\n',
    '0\r\na: b\r\n c\r\n\r\n',
    '0\r\na: b\n\r\n\r\n',
    `3;${'x'.repeat(2_000)}\r\nabc\r\n0\r\n\r\n`,
    `0\r\n${'a: b\r\n'.repeat(4_000)}\r\n`,
  ];
  for (const text of refused) {
    const octets = Buffer.from(text, 'latin1');
    for (const pieces of [[octets], [...octets].map((octet) => Buffer.from([octet]))])
      assert.ok('why' in readIn(pieces), JSON.stringify(text.slice(0, 60)));
  }
});
