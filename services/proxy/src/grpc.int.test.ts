import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants, createServer as createHttp2, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import { openEventLog } from '@postern/event-log/open';
import { granted, joined, keyed, role, say } from './trial/facts.ts';
import { startTrial, until } from './trial/gate.ts';
import { type LedgerClient, ledgerClient, startLedger, withKey } from './trial/ledger.ts';

const names = ['Get', 'Fail', 'Watch', 'Sum', 'Echo', 'Hidden'];
const endpoints = [
  ...names.map((name) => ({
    id: `ledger/ledger=2Ev1=2ELedger/${name}`,
    method: 'POST',
    template: `/ledger.v1.Ledger/${name}`,
    access: name === 'Hidden' ? 'admin' : 'read',
  })),
  { id: 'ledger/get', method: 'GET', template: '/get', access: 'read' },
  { id: 'ledger/put', method: 'POST', template: '/put', access: 'read' },
];
const reads = granted('user:ann', 'reader');
const readsByKey = granted('credential:ann', 'reader');
const facts = [
  say('postern.routes.published.v1', {
    service: 'ledger',
    mount: '/ledger',
    part: 1,
    parts: 1,
    digest: 'x',
    endpoints,
  } as never),
  role('reader', { service: 'ledger', access: 'read' }),
  joined('user:ann'),
  reads.issued,
  keyed('credential:ann', 'user:ann', 'psk_ann'),
  readsByKey.issued,
  joined('user:eve'),
  keyed('credential:eve', 'user:eve', 'psk_eve'),
];

const startGate = async (url: string, more: { bodyBytesMax?: number; timeoutMs?: number } = {}) =>
  startTrial(await openEventLog('memory:'), facts, {
    service: 'ledger',
    config: {
      h2c: '127.0.0.1:0',
      upstreams: {
        ledger: { upstream: url, protocol: 'http2', timeoutMs: 5_000, bodyBytesMax: 1_000_000, ...more },
      },
    },
  });
const start = async (more: Parameters<typeof startGate>[1] = {}) => {
  await using stack = new AsyncDisposableStack();
  const ledger = stack.use(await startLedger());
  const gate = stack.use(await startGate(ledger.url, more));
  const client = ledgerClient(`127.0.0.1:${gate.proxy.clearAddress()?.port}`, '/ledger');
  stack.defer(() => client.close());
  const owned = stack.move();
  return Object.assign(gate, { ledger, client, [Symbol.asyncDispose]: () => owned.disposeAsync() });
};

type Told = { readonly error: ServiceError | null; readonly n: number | undefined; readonly trailer: unknown };
const unary = (client: LedgerClient, name: 'Get' | 'Fail', key: string | undefined): Promise<Told> =>
  new Promise((resolve) => {
    let trailer: unknown;
    let told: Omit<Told, 'trailer'> | undefined;
    const call = client[name]({ n: 41 }, withKey(key), (error, answer) => {
      told = { error, n: answer?.n };
    });
    call.on('status', ({ metadata }) => {
      [trailer] = metadata.get('ledger-page');
      setImmediate(() => resolve({ error: null, n: undefined, ...told, trailer }));
    });
  });

test('a unary call passes with its trailers, and the API hears from the gate alone who calls', async () => {
  await using gate = await start();
  assert.deepEqual(await unary(gate.client, 'Get', 'psk_ann'), { error: null, n: 42, trailer: '7' });
  const [metadata] = gate.ledger.seen;
  assert.equal(metadata?.get('x-api-key').length, 0);
  assert.equal(metadata?.get('postern-assertion').length, 1);
  const [record] = await gate.decisions(1);
  assert.deepEqual([record?.outcome, record?.endpoint], ['allow', 'ledger/ledger=2Ev1=2ELedger/Get']);
});

test("a failure of the API's own comes as the API said it", async () => {
  await using gate = await start();
  const { error } = await unary(gate.client, 'Fail', 'psk_ann');
  assert.deepEqual([error?.code, error?.details], [status.FAILED_PRECONDITION, 'the books are closed – 100 %']);
});

test('a refused call has the status that gRPC has for it, and names the decision', async () => {
  await using gate = await start();
  const denied = await unary(gate.client, 'Get', 'psk_eve');
  assert.equal(denied.error?.code, status.PERMISSION_DENIED);
  assert.match(String(denied.error?.metadata.get('postern-decision')[0]), /^[0-9a-f]{12}-/);
  assert.equal((await unary(gate.client, 'Get', undefined)).error?.code, status.UNAUTHENTICATED);
  assert.equal((await unary(gate.client, 'Get', 'psk_nobody')).error?.code, status.UNAUTHENTICATED);
  assert.equal(gate.ledger.seen.length, 0);
});

test('streams of messages pass in both directions, however many there are', async () => {
  await using gate = await start();
  const watched: number[] = [];
  for await (const { n } of gate.client.Watch({ n: 2_000 }, withKey('psk_ann'))) watched.push(n);
  assert.deepEqual([watched.length, watched.at(-1)], [2_000, 1_999]);

  const summed = new Promise<number>((resolve, reject) => {
    const call = gate.client.Sum(withKey('psk_ann'), (error, answer) => (error ? reject(error) : resolve(answer.n)));
    for (let n = 1; n <= 1_000; n++) call.write({ n });
    call.end();
  });
  assert.equal(await summed, 500_500);

  const echo = gate.client.Echo(withKey('psk_ann'));
  for (const n of [1, 2, 3]) {
    echo.write({ n });
    const [answer] = (await once(echo, 'data')) as [{ n: number }];
    assert.equal(answer.n, n);
  }
  echo.end();
  const [told] = (await once(echo, 'status')) as [{ code: number }];
  assert.equal(told.code, status.OK);
});

test('a stream under way is cut when its grant is revoked: the caller is told why, and the API sees the end', async () => {
  await using gate = await start();
  const watch = gate.client.Watch({ n: 0 }, withKey('psk_ann'));
  const failed = once(watch, 'error') as Promise<[ServiceError]>;
  await new Promise((resolve) => watch.once('data', resolve));
  const echo = gate.client.Echo(withKey('psk_ann'));
  const echoFailed = once(echo, 'error') as Promise<[ServiceError]>;
  echo.on('data', () => {});
  echo.write({ n: 1 });
  await until(() => gate.ledger.open.size === 2);
  await gate.tell(reads.revoked);
  assert.equal((await failed)[0].code, status.PERMISSION_DENIED);
  assert.equal((await echoFailed)[0].code, status.PERMISSION_DENIED);
  await until(() => gate.ledger.open.size === 0);
  const cuts = (await gate.decisions(4)).filter(({ reason }) => reason === 'cut');
  assert.equal(cuts.length, 2);
});

test('a caller that goes away ends the call at the API', async () => {
  await using gate = await start();
  const watch = gate.client.Watch({ n: 0 }, withKey('psk_ann'));
  watch.on('error', () => {});
  await new Promise((resolve) => watch.once('data', resolve));
  assert.equal(gate.ledger.open.size, 1);
  watch.cancel();
  await until(() => gate.ledger.open.size === 0);
});

test('a connection to the API that breaks, or says GOAWAY, is replaced; what was under way there ends as it was left', async () => {
  await using gate = await start();
  const watch = gate.client.Watch({ n: 0 }, withKey('psk_ann'));
  const failed = once(watch, 'error') as Promise<[ServiceError]>;
  await new Promise((resolve) => watch.once('data', resolve));
  gate.ledger.dropConnections();
  assert.notEqual((await failed)[0].code, status.OK);
  assert.equal((await unary(gate.client, 'Get', 'psk_ann')).n, 42);

  const echo = gate.client.Echo(withKey('psk_ann'));
  echo.write({ n: 1 });
  await once(echo, 'data');
  gate.ledger.drainConnections();
  assert.equal((await unary(gate.client, 'Get', 'psk_ann')).n, 42);
  echo.write({ n: 2 });
  const [answer] = (await once(echo, 'data')) as [{ n: number }];
  assert.equal(answer.n, 2);
  echo.end();
});

test('an API that is not there is UNAVAILABLE, and one that is silent is DEADLINE_EXCEEDED', async () => {
  await using gate = await start();
  await gate.ledger[Symbol.asyncDispose]();
  assert.equal((await unary(gate.client, 'Get', 'psk_ann')).error?.code, status.UNAVAILABLE);

  const silent = createHttp2();
  silent.on('stream', () => {});
  silent.on('session', (session) => session.unref());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  await using other = await startGate(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, { timeoutMs: 20 });
  const client = ledgerClient(`127.0.0.1:${other.proxy.clearAddress()?.port}`, '/ledger');
  assert.equal((await unary(client, 'Get', 'psk_ann')).error?.code, status.DEADLINE_EXCEEDED);
  client.close();
  silent.close();
});

test('a request that the API has not looked at when it says GOAWAY is sent again, body and all', async () => {
  const bodies: string[] = [];
  let connections = 0;
  const api = createHttp2();
  api.on('session', (session) => {
    const first = ++connections === 1;
    session.on('stream', (stream) => {
      stream.on('error', () => {});
      if (!first || stream.id === 1) {
        let body = '';
        stream.on('data', (chunk) => {
          body += chunk;
        });
        stream.on('end', () => {
          bodies.push(body);
          stream.respond({ ':status': 200 });
          stream.end('done');
        });
      } else {
        let bytes = 0;
        stream.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > 100_000) session.goaway(constants.NGHTTP2_NO_ERROR, 1);
        });
        if (bodies.length < 2) session.goaway(constants.NGHTTP2_NO_ERROR, 1);
      }
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  await using _closed = { [Symbol.asyncDispose]: async () => void api.close() };
  await using gate = await startGate(`http://127.0.0.1:${(api.address() as AddressInfo).port}`, { timeoutMs: 60_000 });
  const put = (body: string) =>
    plain(gate.proxy.clearAddress()?.port, { ':path': '/ledger/put', ':method': 'POST' }, body);
  assert.deepEqual([(await put('one')).text, (await put('two')).text], ['done', 'done']);
  assert.deepEqual([bodies, connections], [['one', 'two'], 2]);
  // Too much of it may have been sent to be kept.
  connections = 0;
  await using other = await startGate(`http://127.0.0.1:${(api.address() as AddressInfo).port}`);
  const statusOf = async (body: string) =>
    (await plain(other.proxy.clearAddress()?.port, { ':path': '/ledger/put', ':method': 'POST' }, body)).status;
  assert.deepEqual([await statusOf('one'), await statusOf('x'.repeat(200_000))], [200, 502]);
});

/** One request of a plain HTTP/2 client. */
const plain = async (port: number | undefined, headers: Record<string, string>, body?: string) => {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ 'x-api-key': 'psk_ann', ...headers }, { endStream: body === undefined });
  let head: IncomingHttpHeaders = {};
  let text = '';
  stream.on('response', (found) => {
    head = found;
  });
  stream.on('data', (chunk) => {
    text += chunk;
  });
  stream.on('error', () => {});
  if (body !== undefined) stream.end(body);
  await new Promise((resolve) => stream.once('close', resolve));
  session.destroy();
  return { status: head[':status'] as number | undefined, head, text, code: stream.rstCode };
};

/** An API on HTTP/2 that answers as it is told to. */
const http2Api = async (respond: Parameters<typeof createHttp2>[1]) => {
  const api = createHttp2(respond);
  api.on('request', (req) => req.on('error', () => {}));
  const sessions = new Set<{ destroy: () => void }>();
  api.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      api.close();
    },
  };
};

test('other requests pass by HTTP/2 too: one reading, the whole body, the refusal as a document', async () => {
  const seen: IncomingHttpHeaders[] = [];
  await using api = await http2Api(async (req, res) => {
    seen.push(req.headers);
    let body = '';
    for await (const chunk of req) body += chunk;
    res.end(`${req.method} ${req.url} ${body}`);
  });
  await using gate = await startGate(api.url);
  const port = gate.proxy.clearAddress()?.port;
  const got = await plain(port, {
    ':path': '/ledger/get?a=1',
    'postern-assertion': 'forged',
    cookie: 'a=1',
    te: 'trailers',
  });
  assert.deepEqual([got.status, got.text], [200, 'GET /get?a=1 ']);
  assert.equal(seen[0]?.cookie, 'a=1');
  assert.notEqual(seen[0]?.['postern-assertion'], 'forged');
  const put = await plain(port, { ':path': '/ledger/put', ':method': 'POST' }, 'x'.repeat(100_000));
  assert.equal(put.text.length, 'POST /put '.length + 100_000);
  const refused = await plain(port, { ':path': '/ledger/put', ':method': 'POST', 'x-api-key': 'psk_eve' }, 'x');
  assert.equal(refused.status, 403);
  assert.match(refused.text, /proxy\/denied/);
  for (const ambiguous of [
    { ':path': '/ledger/%2e%2e/get' },
    { ':path': '/ledger/get', ':authority': 'one', host: 'other' },
    { ':path': '/ledger//get' },
  ])
    assert.equal((await plain(port, ambiguous)).status, 400, JSON.stringify(ambiguous));
  assert.equal(seen.length, 2);
  // The same API through the other door.
  const overHttp1 = await gate.get('/ledger/get', { 'x-api-key': 'psk_ann' });
  assert.deepEqual([overHttp1.status, await overHttp1.text()], [200, 'GET /get ']);
});

test('half an answer is an error to the caller, and a body beyond the limit is refused', async () => {
  await using api = await http2Api((req, res) => {
    if (req.method === 'POST') return void req.resume().on('end', () => res.end('whole'));
    res.write('half');
    setImmediate(() => res.stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  });
  await using gate = await startGate(api.url, { bodyBytesMax: 10 });
  const port = gate.proxy.clearAddress()?.port;
  const half = await plain(port, { ':path': '/ledger/get' });
  assert.notEqual(half.code, constants.NGHTTP2_NO_ERROR);
  await assert.rejects(async () => {
    await (await gate.get('/ledger/get', { 'x-api-key': 'psk_ann' })).text();
  });
  const large = await plain(port, { ':path': '/ledger/put', ':method': 'POST' }, 'x'.repeat(11));
  assert.equal(large.status, 413);
});

test('a caller that does not read holds the API back', async () => {
  let written = 0;
  await using api = await http2Api((_req, res) => {
    const more = (): void => {
      if (res.stream.destroyed) return;
      do written += 65_536;
      while (res.write(Buffer.alloc(65_536)));
    };
    res.on('drain', more);
    more();
  });
  await using gate = await startGate(api.url);
  const session = connect(`http://127.0.0.1:${gate.proxy.clearAddress()?.port}`);
  const stream = session.request({ ':path': '/ledger/get', 'x-api-key': 'psk_ann' });
  stream.on('error', () => {});
  await once(stream, 'response');
  // It comes to rest where nothing is read; where it does not, it soon is too much.
  for (let before = -1; before !== written && written < 8_000_000; ) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(written > 0);
  assert.ok(written < 4_000_000, `${written} octets were taken from the API`);
  session.destroy();
});
