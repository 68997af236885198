import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { systemClock } from '@postern/runtime';
import { granted, joined, keyed, left, role, routes, say } from './trial/facts.ts';
import { startTrial, type Trial, until } from './trial/gate.ts';
import { sendRaw } from './trial/raw.ts';
import { acceptWebSocket } from './trial/upstream.ts';

const key = 'psk_ann';
const endpoints = [
  { id: 'site/live', method: 'GET', template: '/live', websocket: true },
  { id: 'site/events', method: 'GET', template: '/events' },
  { id: 'site/upload', method: 'POST', template: '/upload', access: 'write' },
  { id: 'site/news', method: 'GET', template: '/news', public: true },
];
const grant = granted('user:ann', 'watcher');
const facts = [
  routes('site', '/', ...endpoints),
  role('watcher', { service: 'site', access: 'read' }),
  joined('user:ann'),
  joined('user:bob'),
  grant.issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'watcher').issued,
  keyed('credential:kb', 'user:bob', 'psk_bob'),
  granted('credential:kb', 'watcher').issued,
  granted('user:bob', 'watcher').issued,
];
const options = { service: 'site', bodyBytesMax: 50_000_000 };

/** Opens a stream that says hello and then nothing. */
const listen = async (gate: Trial, path = '/events', credential = key) => {
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: hello\n\n');
  };
  const response = await gate.get(path, { 'x-api-key': credential });
  assert.equal(response.status, 200);
  const reader = response.body?.getReader();
  assert.ok(reader);
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'data: hello\n\n');
  return reader;
};
const socketTo = async (gate: Trial, credential = key) => {
  const socket = new WebSocket(`ws://127.0.0.1:${gate.port}/live`, { headers: { 'x-api-key': credential } } as never);
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  const said = await new Promise((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => resolve(data));
    socket.addEventListener('error', reject);
  });
  assert.equal(said, 'hello');
  return { socket, closed };
};

test('an event stream and a WebSocket are cut when the grant behind them is revoked, before the proxy says that it enforces that', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  const events = await listen(gate);
  const others = await listen(gate, '/events', 'psk_bob');
  const { closed } = await socketTo(gate);
  await gate.tell(grant.revoked);
  // Enforced: the API's side is closed already, or closes by itself now.
  await assert.rejects(events.read());
  assert.equal((await closed).code, 4403);
  const cut = (await gate.decisions(5)).filter(({ reason }) => reason === 'cut');
  assert.deepEqual(cut.map(({ endpoint }) => endpoint).sort(), ['site/events', 'site/live']);
  assert.ok(cut.every(({ ends }) => ends !== undefined));
  // Whoever is not touched stays connected.
  await until(() => gate.upstream.sockets.size === 1);
  await others.cancel();
});

test('a stream is cut by whatever ends it: the key, the person, the session of the owner, the route', async () => {
  const endings = [
    say('postern.credential.revoked.v1', { credential: 'credential:k1' }),
    left('user:ann'),
    routes('site', '/', ...endpoints.filter(({ id }) => id !== 'site/events')),
    routes(
      'site',
      '/',
      ...endpoints.map((each) => (each.id === 'site/events' ? { ...each, template: '/elsewhere' } : each)),
    ),
    say('postern.role.retired.v1', { role: 'watcher' }),
  ];
  for (const ending of endings) {
    await using log = await openEventLog('memory:');
    await using gate = await startTrial(log, facts, options);
    const events = await listen(gate);
    await gate.tell(ending);
    await assert.rejects(events.read(), ending.type);
  }
});

test('a stream survives facts that leave it allowed', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  const { socket, closed } = await socketTo(gate);
  await gate.tell(
    routes('site', '/', ...endpoints),
    role('other', { endpoint: 'site/upload' }),
    granted('user:ann', 'other').issued,
  );
  assert.equal(socket.readyState, WebSocket.OPEN);
  socket.close();
  await closed;
});

test('a public stream is cut when its endpoint is public no more', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  gate.upstream.respond = (_req, res) => void res.writeHead(200).write('news');
  const response = await gate.get('/news');
  const reader = response.body?.getReader();
  await reader?.read();
  await gate.tell(routes('site', '/', ...endpoints.map(({ public: _public, ...each }) => each)));
  await assert.rejects(reader?.read() ?? Promise.resolve());
});

test('a stream that a condition ends is cut when its time has come, without any fact', async () => {
  await using log = await openEventLog('memory:');
  let shiftMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + shiftMs };
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const timed = facts.map((fact) =>
    fact === grant.issued ? granted('user:ann', 'watcher', { until: soon }).issued : fact,
  );
  await using gate = await startTrial(log, timed, { ...options, clock });
  const events = await listen(gate);
  shiftMs = 3_600_000;
  await assert.rejects(events.read());
});

test('a proxy that the log does not answer refuses once its lease has run out, cuts what is open, and serves again when it hears', async () => {
  await using log = await openEventLog('memory:');
  let silent = false;
  const enforcement = {
    publish: (records: never) =>
      silent ? Promise.reject(new Error('the log is away')) : log.enforcement.publish(records),
    follow: log.enforcement.follow.bind(log.enforcement),
  };
  await using gate = await startTrial(log, facts, {
    ...options,
    config: { leaseMs: 1_500 },
    deps: { eventLog: { facts: log.facts, decisions: log.decisions, enforcement } },
  });
  const events = await listen(gate);
  silent = true;
  await assert.rejects(events.read());
  const refused = await gate.get('/events', { 'x-api-key': key });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(((await refused.json()) as { type: string }).type, 'urn:postern:problem:proxy/stale');
  assert.equal(gate.upstream.seen.length, 1);
  assert.deepEqual(gate.proxy.notReady(), ['not heard from the log for the lease time']);
  silent = false;
  await until(() => gate.proxy.notReady().length === 0);
  await (await listen(gate)).cancel();
});

test('a caller who goes away takes the request to the API along', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  const events = await listen(gate);
  assert.equal(gate.upstream.sockets.size, 1);
  await events.cancel();
  await until(() => gate.upstream.sockets.size === 0);
  const { socket } = await socketTo(gate);
  socket.close();
  await until(() => gate.upstream.sockets.size === 0);
});

test('an answer is not read from the API faster than the caller takes it', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  let written = 0;
  let blocked = false;
  const total = 64 * 1_048_576;
  gate.upstream.respond = (_req, res) => {
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!res.write(chunk)) {
          blocked = true;
          res.once('drain', () => {
            blocked = false;
            more();
          });
          return;
        }
      }
      res.end();
    };
    more();
  };
  const socket = connect(gate.port, '127.0.0.1');
  socket.write(`GET /events HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\n\r\n`);
  socket.pause();
  // Nobody reads: the API is stopped long before all is written, however slow this machine.
  let before = -1;
  await until(async () => {
    const same = blocked && written === before;
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return same && written === before;
  });
  assert.ok(written < total / 2, `${written} bytes were taken for a caller who reads nothing`);
  socket.destroy();
});

test('data after the handshake reaches the API, in both directions, and an upstream close closes the caller', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, options);
  const received = Promise.withResolvers<number>();
  gate.upstream.onUpgrade = (req, socket) => {
    acceptWebSocket(req, socket);
    socket.once('data', (frame) => {
      received.resolve(frame[0] ?? 0);
      socket.end(Buffer.from([0x88, 2, 1000 >> 8, 1000 & 255]));
    });
  };
  const { socket, closed } = await socketTo(gate);
  socket.send('to the API');
  assert.equal(await received.promise, 0x81);
  assert.equal((await closed).code, 1000);
});

test('an upload is streamed after 100-continue, and refused before it', async () => {
  await using log = await openEventLog('memory:');
  const writer = [
    role('uploader', { endpoint: 'site/upload' }),
    granted('user:ann', 'uploader').issued,
    granted('credential:k1', 'uploader').issued,
  ];
  await using gate = await startTrial(log, [...facts, ...writer], options);
  const text = (credential: string) =>
    `POST /upload HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${credential}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
  const refused = await sendRaw(gate.port, text('psk_bob'));
  assert.equal(refused.status, 403);
  const interim = await new Promise<string>((resolve) => {
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(text(key)));
    let all = '';
    socket.on('data', (chunk) => {
      all += chunk.toString();
      if (all === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('hello');
      if (all.includes('the API answers')) {
        socket.destroy();
        resolve(all);
      }
    });
  });
  assert.match(interim, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  assert.equal(gate.upstream.seen[0]?.body, 'hello');
});
