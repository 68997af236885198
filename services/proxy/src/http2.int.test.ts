/** HTTP/2 from clients: the same ladder, the same refusals, and nothing that HTTP/1.1 would have refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import type { TrialOptions } from './trial/gate.ts';
import { ask, askHttps, openHttp2, startTlsTrial, tlsFiles } from './trial/tls-gate.ts';

const key = 'psk_ann';
const get = (id: string, template: string) => ({ id: `site/${id}`, method: 'GET', template });
const holds = granted('credential:k1', 'user-reader');
const facts = [
  routes(
    'site',
    '/',
    { ...get('public', '/public/{path+}'), public: true },
    { ...get('open', '/open'), public: true },
    get('admin', '/admin'),
    get('user', '/users/{id}'),
    { id: 'site/addUser', method: 'POST', template: '/users/{id}', access: 'write' },
  ),
  role('user-reader', { endpoint: 'site/user' }, { endpoint: 'site/addUser' }),
  joined('user:ann'),
  granted('user:ann', 'user-reader').issued,
  keyed('credential:k1', 'user:ann', key),
  holds.issued,
];
const options: TrialOptions = { service: 'site', bodyBytesMax: 200_000 };
const auth = { 'x-api-key': key };

const setUp = async (more: TrialOptions = {}) => {
  const stack = new AsyncDisposableStack();
  const log = stack.use(await openEventLog('memory:'));
  const files = stack.use(await tlsFiles());
  const gate = stack.use(await startTlsTrial(log, facts, files, { ...options, ...more }));
  const session = await openHttp2(gate, { authority: files.authority.certificate });
  stack.defer(() => session.destroy());
  return { gate, files, session, log, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

test('a request over HTTP/2 reaches the API as it was judged, with the gate’s word about its caller', async () => {
  await using at = await setUp();
  const { status, body, headers } = await ask(at.session, { ':path': '/users/7?x=%2e', ...auth, cookie: 'a=1; b=2' });
  assert.deepEqual([status, body], [200, 'the API answers']);
  assert.ok(headers['postern-decision'] !== undefined);
  const [seen] = at.gate.upstream.seen;
  assert.equal(seen?.url, '/users/7?x=%2e');
  assert.match(String(seen?.headers['postern-assertion']), /^eyJ/);
  assert.equal(seen?.headers['x-forwarded-proto'], 'https');
  assert.equal(seen?.headers['x-forwarded-host'], `gate.test:${at.gate.port}`);
  assert.equal(seen?.headers['cookie'], 'a=1; b=2');
  assert.equal(seen?.names.filter((name) => name === 'cookie').length, 1);
  assert.ok(!seen?.names.some((name) => name.startsWith(':') || name === 'x-api-key'));
});

test('bodies go on with and without their length, to their end, and no further than the limit', async () => {
  await using at = await setUp();
  const big = 'x'.repeat(150_000);
  for (const length of [undefined, String(big.length)]) {
    const { status } = await ask(
      at.session,
      { ':path': '/users/7', ':method': 'POST', ...auth, ...(length !== undefined && { 'content-length': length }) },
      big,
    );
    assert.equal(status, 200);
    assert.equal(at.gate.upstream.seen.at(-1)?.body.length, big.length);
  }
  const tooLong = 'x'.repeat(250_000);
  const sized = { ':path': '/users/7', ':method': 'POST', ...auth, 'content-length': String(tooLong.length) };
  assert.equal((await ask(at.session, sized, tooLong)).status, 413);
  assert.equal((await ask(at.session, { ':path': '/users/7', ':method': 'POST', ...auth }, tooLong)).status, 413);
  // What was refused unread must not starve the others on the connection.
  assert.equal((await ask(at.session, { ':path': '/users/7', ':method': 'POST', ...auth }, big)).status, 200);
});

test('many requests share a connection, each with its own caller', async () => {
  await using at = await setUp();
  const all = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      ask(at.session, { ':path': `/users/${index}`, ...(index % 3 === 0 ? {} : auth) }),
    ),
  );
  assert.deepEqual(
    all.map(({ status }) => status),
    all.map((_, index) => (index % 3 === 0 ? 401 : 200)),
  );
});

test('an answer that comes in parts goes through in parts, with its repeated fields, and an early end looks like one', async () => {
  await using at = await setUp();
  at.gate.upstream.respond = (_req, res) => {
    res.writeHead(200, [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['Connection', 'keep-alive, X-Hop'],
      ['X-Hop', '1'],
    ] as never);
    res.write('first');
    setTimeout(() => res.end('last'), 20);
  };
  const whole = await ask(at.session, { ':path': '/users/7', ...auth });
  assert.deepEqual([whole.status, whole.body, whole.code], [200, 'firstlast', 0]);
  assert.deepEqual(whole.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(whole.headers['x-hop'], undefined);
  at.gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' });
    res.write('half');
    setTimeout(() => res.destroy(), 20);
  };
  const half = await ask(at.session, { ':path': '/users/7', ...auth });
  assert.notEqual(half.code, 0, 'half an answer is no whole one');
});

test('what the API says behind the body goes through, but not what may not stand there', async () => {
  await using at = await setUp();
  at.gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { trailer: 'grpc-status, postern-decision, set-cookie' });
    res.write('body');
    res.addTrailers({ 'grpc-status': '0', 'postern-decision': 'forged', 'set-cookie': 'a=1' });
    res.end();
  };
  const { body, trailers } = await ask(at.session, { ':path': '/users/7', ...auth });
  assert.equal(body, 'body');
  assert.deepEqual(Object.entries(trailers ?? {}), [['grpc-status', '0']]);
});

test('a stream is cut when its grant is revoked, and the connection goes on', async () => {
  await using at = await setUp();
  at.gate.upstream.respond = (_req, res) =>
    void res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  const stream = at.session.request({ ':path': '/users/7', ...auth });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('data', resolve));
  const closed = new Promise<number>((resolve) => stream.once('close', () => resolve(stream.rstCode)));
  await at.gate.tell(holds.revoked);
  assert.notEqual(await closed, 0);
  at.gate.upstream.respond = undefined;
  assert.equal((await ask(at.session, { ':path': '/open' })).status, 200);
});

test('the documents of the gate are served over HTTP/2 as over HTTP/1.1', async () => {
  await using at = await setUp();
  const over2 = await ask(at.session, { ':path': '/.well-known/jwks.json' });
  const over1 = await askHttps(at.gate.port, '/.well-known/jwks.json', { authority: at.files.authority.certificate });
  assert.equal(over2.status, 200);
  assert.deepEqual(JSON.parse(over2.body), JSON.parse(over1.body));
});

test('a client that goes away takes its request to the API with it', async () => {
  await using at = await setUp();
  const gone = new Promise<void>((resolve) => {
    at.gate.upstream.respond = (req, res) => {
      res.writeHead(200).write('x');
      req.socket.once('close', () => resolve());
    };
  });
  const stream = at.session.request({ ':path': '/users/7', ...auth });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('data', resolve));
  stream.close(8);
  await gone;
});

test('a stop lets requests under way finish, and takes no new ones on the connection', async () => {
  const at = await setUp();
  let finish: (() => void) | undefined;
  const arrived = new Promise<void>((resolve) => {
    at.gate.upstream.respond = (_req, res) => {
      finish = () => res.end('done');
      resolve();
    };
  });
  const answer = ask(at.session, { ':path': '/users/7', ...auth });
  await arrived;
  const goaway = new Promise((resolve) => at.session.once('goaway', resolve));
  const stopped = at.gate.proxy.stop();
  await goaway;
  finish?.();
  assert.deepEqual([(await answer).status, (await answer).body], [200, 'done']);
  await stopped;
  await at[Symbol.asyncDispose]();
});

test('HTTP/1.1 behind TLS is the same gate, upgrades too', async () => {
  await using at = await setUp();
  const authority = at.files.authority.certificate;
  assert.equal((await askHttps(at.gate.port, '/users/7', { authority, headers: auth })).status, 200);
  assert.equal(at.gate.upstream.seen[0]?.headers['x-forwarded-proto'], 'https');
  assert.equal((await askHttps(at.gate.port, '/users/7', { authority })).status, 401);
  assert.equal((await askHttps(at.gate.port, '/public/%2e%2e/admin', { authority, headers: auth })).status, 400);
});
