/** Requests made up by chance, as octets: mostly right, with something wrong in the target, the method, the headers or the body's frame. */
import fc from 'fast-check';
import { corpusKey } from '../corpus.ts';

const mostly = (usual: string, share: number, ...others: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: share, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const bases = [
  '/public/a/b',
  '/users/1',
  '/users/x%20y',
  '/users/%C3%A9',
  '/open',
  '/admin',
  '/users/1?a=b&c=%2F',
  '/public/%7Ba%7D',
];
const odd =
  '.. . %2e %2E .%2e %2f %2F %5c \\ // / %00 %25 %252e ; ;a=b # ? % %z %C0%AF %61 %7E @ : http://evil * | ^ { " \' & = ~ + , ! $ ( %3f %23 %3B %C3 %EF%BC%8F ; %09 %20 %0d%0a %7f é ÿ'
    .split(' ')
    .concat('\t', ' ', '\u0000', '\u007f', '\u0080', '\r', '\n');
type Change = (target: string) => string;
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom(...odd), fc.nat(40)).map(
    ([text, at]): Change =>
      (target) =>
        `${target.slice(0, at % (target.length + 1))}${text}${target.slice(at % (target.length + 1))}`,
  ),
  fc.nat(40).map(
    (at): Change =>
      (target) =>
        target.slice(0, at % (target.length + 1)) + target.slice((at % (target.length + 1)) + 1),
  ),
  fc.nat(40).map(
    (at): Change =>
      (target) => {
        const place = at % target.length;
        const octet = target.charCodeAt(place).toString(16).padStart(2, '0');
        return `${target.slice(0, place)}%${octet}${target.slice(place + 1)}`;
      },
  ),
  fc.nat(40).map(
    (at): Change =>
      (target) => {
        const place = at % target.length;
        const [character = ''] = target.slice(place);
        const other = character === character.toUpperCase() ? character.toLowerCase() : character.toUpperCase();
        return target.slice(0, place) + other + target.slice(place + 1);
      },
  ),
  fc.constantFrom<Change>(
    (target) => `http://gate.test${target}`,
    (target) => `//gate.test${target}`,
    (target) => target.slice(1),
    (target) => `${target}/`,
    (target) => `/public/..${target}`,
    (target) => target.repeat(target.length < 60 ? 400 : 1),
  ),
);
const target = fc
  .tuple(
    fc.constantFrom(...bases),
    fc.oneof(fc.constant<Change[]>([]), fc.array(change, { minLength: 1, maxLength: 3 })),
  )
  .map(([base, changes]) => changes.reduce((text, apply) => apply(text === '' ? '/' : text), base));
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('GET', 'GET', 'POST', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'QUERY') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'get',
      'Get',
      'TRACE',
      'CONNECT',
      'HACK',
      'PRI',
      'GE T',
      '',
      'GET\u0000',
      'PROPFIND',
      ' GET',
    ),
  },
);
const smuggled = `GET /users/2 HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${corpusKey}\r\n\r\n`;
const unkeyed = 'GET /admin HTTP/1.1\r\nHost: gate.test\r\n\r\n';
const oddHeaders = [
  'X-A: 1',
  'X-A : 1',
  'X-A\t: 1',
  ' X-A: 1',
  'X-A: 1\r\n folded',
  'X-A: 1\r\n\tfolded',
  'X-A',
  ': 1',
  'X-A: \u0000',
  'X-A: a\rb',
  'X-A: a\nb',
  'X\u0000A: 1',
  'X(A: 1',
  'Host: evil',
  'Host: gate.test',
  'Host:',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: content-length',
  'Connection: transfer-encoding',
  'Connection: close, postern-assertion, host',
  'Keep-Alive: x',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Postern-Assertion: forged',
  'Postern_Assertion: forged',
  'X-HTTP-Method-Override: DELETE',
  'X-Original-URL: /admin',
  'X-Forwarded-Prefix: /admin',
  'Content_Length: 5',
  'Transfer_Encoding: chunked',
  'TE: trailers',
  'Trailer: Host',
  'Proxy-Connection: keep-alive',
  'Origin: https://evil.test',
  'Access-Control-Request-Method: GET',
  `X-A: ${'a'.repeat(20_000)}`,
];
const lengths = [
  'Content-Length: 5',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  'Content-Length: 5 ',
  'Content-Length : 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 99999999999999999999',
  'content-length: 5',
  'Content-Length:\u000b5',
];
const codings = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:\u000bchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'transfer-encoding: chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked;q=1',
];
const bodies = ['hello', '', `hello${smuggled}`, `hello${unkeyed}`, smuggled];
const chunkeds = [
  '5\r\nhello\r\n0\r\n\r\n',
  '5;a=b\r\nhello\r\n0\r\n\r\n',
  '5;a="b\r\nc"\r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello0\r\n\r\n',
  '05\r\nhello\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '+5\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nHost: evil\r\n\r\n',
  'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  `0\r\n\r\n${smuggled}`,
  `0\r\n\r\n${unkeyed}`,
  `5\r\nhello\r\n0\r\n\r\n${smuggled}`,
  '5;\nx\r\nhello\r\n0\r\n\r\n',
  '5\r\r\nhello\r\n0\r\n\r\n',
  `1\r\nZ\r\nQ\r\n${unkeyed}`,
  `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
];
const frame = fc.oneof(
  { weight: 5, arbitrary: fc.constant<readonly [string[], string]>([[], '']) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...lengths), fc.constantFrom(...bodies))
      .map(([header, body]): readonly [string[], string] => [[header], body]),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...codings), fc.constantFrom(...chunkeds))
      .map(([header, body]): readonly [string[], string] => [[header], body]),
  },
);

/** One character an octet. */
export const octets: fc.Arbitrary<string> = fc
  .record({
    method,
    target,
    version: mostly('HTTP/1.1', 12, 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.2', 'http/1.1', 'HTTP/1.1 ', ''),
    gap: mostly(' ', 20, '  ', '\t', ''),
    end: mostly('\r\n', 12, '\n', '\r', '\r\r\n', '\u0000\r\n'),
    host: mostly(
      'Host: gate.test',
      20,
      'Host: gate.test:80',
      'Host: user@gate.test',
      'host:gate.test',
      'Host : gate.test',
    ),
    more: fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.constantFrom(...oddHeaders), { minLength: 1, maxLength: 3 }) },
    ),
    frame,
    before: mostly('', 30, '\r\n', ' ', '\n'),
  })
  .map(({ method, target, version, gap, end, host, more, frame: [framing, body], before }) => {
    const lines = [host, `X-API-Key: ${corpusKey}`, ...more, ...framing];
    return `${before}${method}${gap}${target}${gap}${version}${end}${lines.join('\r\n')}\r\n\r\n${body}`;
  });
