/**
 * The tables of attacks over HTTP/2, as frames on a socket: what a polite client cannot send. Each request is refused by an answer or
 * by the end of its stream, and the API behind the gate sees nothing; each flood ends its connection and nobody else's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { http2Limits } from './gate/http2.ts';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { endHeaders, endStream, fields, frame, openRawHttp2, type RawHttp2 } from './trial/raw-http2.ts';
import { ask, openHttp2, startTlsTrial, tlsFiles } from './trial/tls-gate.ts';

const key = 'psk_ann';
const get = (id: string, template: string) => ({ id: `site/${id}`, method: 'GET', template });
const facts = [
  routes(
    'site',
    '/',
    { ...get('public', '/public/{path+}'), public: true },
    { ...get('open', '/open'), public: true },
    get('admin', '/admin'),
    get('user', '/users/{id}'),
    { id: 'site/addUser', method: 'POST', template: '/users/{id}', access: 'write' },
    { ...get('live', '/live'), websocket: true },
  ),
  role('user-reader', { endpoint: 'site/user' }, { endpoint: 'site/live' }, { endpoint: 'site/addUser' }),
  joined('user:ann'),
  granted('user:ann', 'user-reader').issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'user-reader').issued,
];
type Pair = readonly [string, string];
const usual: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/users/1'],
  [':authority', 'gate.test'],
  ['x-api-key', key],
];
/** The usual request with these in place of what has the same name; `undefined` leaves one out. */
const but = (changes: Record<string, string | undefined>, ...more: Pair[]): Pair[] => [
  ...usual.flatMap(([name, value]): Pair[] => {
    if (!(name in changes)) return [[name, value]];
    const changed = changes[name];
    return changed === undefined ? [] : [[name, changed]];
  }),
  ...more,
];
const path = (text: string) => but({ ':path': text });

const rows: Record<string, Pair[]> = {
  'P1 dot segments': path('/public/../admin'),
  'P2 encoded dot segments': path('/public/%2e%2e/admin'),
  'P3 encoded slash': path('/public/..%2fadmin'),
  'P4 backslash': path('/public/..\\admin'),
  'P5 double encoding': path('/public/%252e%252e/admin'),
  'P6 matrix parameter': path('/public/..;/admin'),
  'P7 empty segment': path('//admin'),
  'P8 needless escape': path('/%61dmin'),
  'P10 fragment': path('/public/x#/../../admin'),
  'P12 absolute form': path('https://evil/admin'),
  'P13 no slash': path('admin'),
  'P13 asterisk': path('*'),
  'P13 empty': path(''),
  'P14 dot as an id': path('/users/%2e'),
  'P17 NUL': path('/users/1%00'),
  'P17 octets': path('/users/\u00e9'),
  'P17 a space': path('/users/1 HTTP/1.1'),
  'M1 another method in the query': path('/users/1?_method=DELETE'),
  'M4 lower case': but({ ':method': 'get' }),
  'M4 unknown': but({ ':method': 'HACK' }),
  'M4 TRACE': but({ ':method': 'TRACE' }),
  'M4 CONNECT': but({ ':method': 'CONNECT', ':scheme': undefined, ':path': undefined }),
  'M4 a method with a space': but({ ':method': 'GET /open' }),
  'X3 extended CONNECT': but({ ':method': 'CONNECT' }, [':protocol', 'websocket']),
  'H8 two API keys': but({}, ['x-api-key', key]),
  'H8 two Authorization': but(
    { 'x-api-key': undefined },
    ['authorization', `Bearer ${key}`],
    ['authorization', 'Bearer b'],
  ),
  'H9 host beside another authority': but({}, ['host', 'evil.test']),
  'H9 host twice': but({}, ['host', 'gate.test'], ['host', 'gate.test']),
  'H9 authority twice': but({}, [':authority', 'evil.test']),
  'H9 no host at all': but({ ':authority': undefined }),
  'H9 an authority with a name before it': but({ ':authority': 'user@evil' }),
  'H9 an authority with a path': but({ ':authority': 'gate.test/admin' }),
  'H9 an empty authority': but({ ':authority': '' }),
  'another scheme': but({ ':scheme': 'http' }),
  'a scheme with a path': but({ ':scheme': 'https://evil/x?' }),
  'no scheme': but({ ':scheme': undefined }),
  'no method': but({ ':method': undefined }),
  'two methods': [[':method', 'GET'], ...usual],
  'two paths': [[':path', '/open'], ...usual],
  'a pseudo-header nobody knows': [[':admin', '1'], ...usual],
  'a pseudo-header behind a field': but({ ':path': undefined }, [':path', '/users/1']),
  'a response’s pseudo-header': [[':status', '200'], ...usual],
  'an upper-case name': but({}, ['X-Upper', '1']),
  connection: but({}, ['connection', 'close']),
  'connection that names ours': but({}, ['connection', 'postern-assertion']),
  'keep-alive': but({}, ['keep-alive', '1']),
  'proxy-connection': but({}, ['proxy-connection', 'close']),
  'transfer-encoding': but({}, ['transfer-encoding', 'chunked']),
  upgrade: but({}, ['upgrade', 'websocket']),
  'te of a coding': but({}, ['te', 'gzip']),
  'two lengths': but({ ':method': 'POST' }, ['content-length', '1'], ['content-length', '2']),
  'a length that is none': but({ ':method': 'POST' }, ['content-length', '+1']),
  'a length without a body': but({ ':method': 'POST' }, ['content-length', '5']),
};

/** Fields that are none: HTTP/2's own layer may take them away and let the rest be a request. */
const noFields: Record<string, Pair[]> = {
  'an empty name': but({}, ['', '1']),
  'a name with a space': but({}, ['x a', '1']),
  'a name with a colon': but({}, ['x:a', '1']),
  'a name with a line end': but({}, ['x\r\npostern-assertion', 'forged']),
  'a value with a line end': but({}, ['x-a', '1\r\nPostern-Assertion: forged']),
  'a value with a line feed': but({}, ['x-a', '1\npostern-assertion: forged']),
  'a value with NUL': but({}, ['x-a', '1\0']),
};

const setUp = async () => {
  const stack = new AsyncDisposableStack();
  const log = stack.use(await openEventLog('memory:'));
  const files = stack.use(await tlsFiles());
  const gate = stack.use(await startTlsTrial(log, facts, files, { service: 'site' }));
  const raw = async (): Promise<RawHttp2> => stack.use(await openRawHttp2(gate.port));
  return { gate, files, raw, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};
/** The first frame of the answer's headers says the status: an entry of HPACK's table (RFC 7541 A), or spelled out. */
const table = new Map([
  [8, 200],
  [9, 204],
  [10, 206],
  [11, 304],
  [12, 400],
  [13, 404],
  [14, 500],
]);
const statusOf = (payload: Buffer): number => {
  const [first = 0, length = 0] = payload;
  if ((first & 0x80) !== 0) return table.get(first & 0x7f) ?? 0;
  // Huffman's code of three digits is two octets and a bit; which ones is not worth a decoder here.
  return (length & 0x80) !== 0 ? 1 : Number(payload.subarray(2, 5).toString());
};
const send = async (client: RawHttp2, stream: number, pairs: readonly Pair[]): Promise<number | 'reset' | 'gone'> => {
  await client.send(frame('headers', endHeaders | endStream, stream, fields(...pairs)));
  const answer = await client.wait(
    ({ type, stream: of }) => (of === stream && (type === 'headers' || type === 'reset')) || type === 'goaway',
  );
  if (answer === undefined || answer.type === 'goaway') return 'gone';
  return answer.type === 'reset' ? 'reset' : statusOf(answer.payload);
};

test('the usual request passes, so that the rows below fail for what they name', async () => {
  await using at = await setUp();
  const client = await at.raw();
  assert.equal(await send(client, 1, usual), 200);
  assert.equal(await send(client, 3, but({}, ['te', 'trailers'], ['host', 'GATE.test'])), 200);
  assert.equal(at.gate.upstream.seen.length, 2);
  // Ours to say, where the client takes trailers, and nothing else that it said there.
  assert.ok(at.gate.upstream.seen.every(({ headers }) => headers['te'] === undefined || headers['te'] === 'trailers'));
});

test(`${Object.keys(rows).length} requests that HTTP/1.1 could not even say are refused, and the API sees none of them`, async () => {
  await using at = await setUp();
  for (const [name, pairs] of Object.entries(rows)) {
    const client = await at.raw();
    const answer = await send(client, 1, pairs);
    assert.notEqual(answer, 200, name);
    assert.deepEqual(at.gate.upstream.seen, [], `${name}: the API saw it`);
    client[Symbol.dispose]();
  }
  assert.equal(await send(await at.raw(), 1, usual), 200);
});

test('a field that could become two further on never reaches the API, whether the request does or not', async () => {
  await using at = await setUp();
  for (const [name, pairs] of Object.entries(noFields)) {
    at.gate.upstream.seen.length = 0;
    await send(await at.raw(), 1, pairs);
    for (const { names, headers } of at.gate.upstream.seen) {
      assert.ok(!names.some((each) => /^(x[^-]|$)/.test(each) || each === 'x-a'), name);
      assert.match(String(headers['postern-assertion']), /^eyJ/, name);
    }
  }
});

test('what a client says of itself ends at the gate over HTTP/2 too', async () => {
  await using at = await setUp();
  const forged = [
    'postern-assertion',
    'x-forwarded-user',
    'x_user',
    'forwarded',
    'x-http-method-override',
    'client-cert',
  ];
  const more = forged.map((name): Pair => [name, 'forged']);
  assert.equal(await send(await at.raw(), 1, but({}, ...more, ['x-forwarded-for', '10.0.0.1'])), 200);
  const [seen] = at.gate.upstream.seen;
  assert.equal(seen?.headers['x-forwarded-for'], '127.0.0.1');
  assert.match(String(seen?.headers['postern-assertion']), /^eyJ/);
  for (const name of forged.slice(1)) assert.ok(!seen?.names.includes(name), name);
});

test('a body longer or shorter than its length says is no request of the API’s', async () => {
  await using at = await setUp();
  for (const body of ['123', '1234567']) {
    const client = await at.raw();
    const head = fields(...but({ ':method': 'POST' }, ['content-length', '5']));
    await client.send(frame('headers', endHeaders, 1, head), frame('data', endStream, 1, Buffer.from(body)));
    const answer = await client.wait(({ type }) => type === 'reset' || type === 'goaway');
    assert.ok(answer !== undefined);
  }
  assert.deepEqual(at.gate.upstream.seen, []);
});

const floods: Record<string, (client: RawHttp2, round: number) => Promise<void>> = {
  'rapid reset': (client, round) => {
    const cancel = Buffer.from([0, 0, 0, 8]);
    const streams = Array.from({ length: 50 }, (_, at) => 1 + 2 * (round * 50 + at));
    return client.send(
      ...streams.flatMap((stream) => [
        frame('headers', endHeaders | endStream, stream, fields(...usual)),
        frame('reset', 0, stream, cancel),
      ]),
    );
  },
  'made to reset': (client, round) => {
    const nothing = Buffer.alloc(4);
    const streams = Array.from({ length: 50 }, (_, at) => 1 + 2 * (round * 50 + at));
    return client.send(
      ...streams.flatMap((stream) => [
        frame('headers', endHeaders | endStream, stream, fields(...usual)),
        frame('windowUpdate', 0, stream, nothing),
      ]),
    );
  },
  'headers without an end': (client, round) =>
    client.send(
      ...(round === 0 ? [frame('headers', endStream, 1, fields(...usual))] : []),
      ...Array.from({ length: 20 }, () => frame('continuation', 0, 1, fields(['x-a', 'x'.repeat(100)]))),
    ),
  'empty continuations': (client, round) =>
    client.send(
      ...(round === 0 ? [frame('headers', endStream, 1, fields(...usual))] : []),
      ...Array.from({ length: 100 }, () => frame('continuation', 0, 1)),
    ),
  'settings without an end': (client) =>
    client.send(...Array.from({ length: 500 }, () => frame('settings', 0, 0, Buffer.from([0, 3, 0, 0, 0, 100])))),
  'pings without an end': (client) =>
    client.send(...Array.from({ length: 500 }, () => frame('ping', 0, 0, Buffer.alloc(8)))),
};
const roundsMax = 400;

for (const [name, flood] of Object.entries(floods))
  test(`${name}: the connection that does it ends, and the others go on`, async () => {
    await using at = await setUp();
    const polite = await openHttp2(at.gate, { authority: at.files.authority.certificate });
    const client = await at.raw();
    if (/pings|settings/.test(name)) client.deafen();
    let rounds = 0;
    for (; client.isOpen() && rounds < roundsMax; rounds++) {
      await flood(client, rounds);
      if (client.received.some(({ type }) => type === 'goaway')) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(rounds < roundsMax, `it went on for ${rounds} rounds`);
    assert.equal((await ask(polite, { ':path': '/users/1', 'x-api-key': key })).status, 200);
    assert.ok(
      at.gate.upstream.seen.length <= http2Limits.resetsBurst * 3,
      `${at.gate.upstream.seen.length} reached the API`,
    );
    polite.destroy();
  });

test('a header list beyond the limit is no request', async () => {
  await using at = await setUp();
  const client = await at.raw();
  await client.send(
    frame('headers', endStream, 1, fields(...usual)),
    ...Array.from({ length: 3 }, () => frame('continuation', 0, 1, fields(['x-a', 'x'.repeat(16_000)]))),
    frame('continuation', endHeaders, 1),
  );
  await client.wait(({ stream, type }) => stream === 1 || type === 'goaway');
  assert.deepEqual(at.gate.upstream.seen, []);
});

test('more streams at once than a connection may have end it, and the API sees no more than that', async () => {
  await using at = await setUp();
  let open = 0;
  at.gate.upstream.respond = () => void open++;
  const client = await at.raw();
  const streams = Array.from({ length: http2Limits.concurrentStreamsMax + 20 }, (_, index) => 1 + 2 * index);
  await client.wait(({ type, flags }) => type === 'settings' && flags === 1);
  await client.send(...streams.map((stream) => frame('headers', endHeaders | endStream, stream, fields(...usual))));
  const told = await client.wait(({ type }) => type === 'goaway' || type === 'reset');
  assert.ok(told !== undefined);
  assert.ok(open <= http2Limits.concurrentStreamsMax, `${open}`);
});
