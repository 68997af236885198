import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { Timeouts } from '@postern/schemas';
import { startTrial, until } from './trial/gate.ts';
import { siteFacts as facts, siteHeaders as headers, siteKey as key } from './trial/site.ts';
import { acceptWebSocket } from './trial/upstream.ts';

const timeouts = (some: object) => Timeouts.parse(some);
const codeOf = async (response: Response) =>
  ((await response.json()) as { type: string }).type.replace('urn:postern:problem:', '');

test('an API that sends no first byte in time is given up, and the caller is told; a slow upload does not count as its silence', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site', timeoutMs: 300, bodyBytesMax: 1_000_000 });
  gate.upstream.respond = (req, res, body) => {
    if (req.url === '/write') res.end(`${body.length} taken`);
  };
  const silent = await gate.get('/read', headers);
  assert.equal(silent.status, 504);
  assert.equal(await codeOf(silent), 'proxy/upstream-timeout');
  await until(() => gate.upstream.sockets.size === 0);
  const answer = await new Promise<string>((resolve) => {
    let all = '';
    const socket = connect(gate.port, '127.0.0.1', () => {
      socket.write(`POST /write HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\nContent-Length: 8\r\n\r\n`);
      let sent = 0;
      const timer = setInterval(() => {
        socket.write('x');
        if (++sent === 8) clearInterval(timer);
      }, 100);
    });
    socket.on('data', (chunk) => {
      all += chunk.toString();
      if (all.includes('taken')) resolve(all);
      if (all.includes('taken')) socket.destroy();
    });
    socket.on('close', () => resolve(all));
  });
  assert.match(answer, /^HTTP\/1.1 200 /);
  assert.match(answer, /8 taken$/);
});

test('a caller whose body stops coming is told so, and the connection to the API is given back', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    service: 'site',
    bodyBytesMax: 1_000_000,
    traffic: { timeouts: timeouts({ idleMs: 300 }) },
  });
  const answer = await gate.raw(
    `POST /write HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\nContent-Length: 100\r\n\r\nhalf`,
  );
  assert.equal(answer.status, 408);
  assert.match(answer.body, /proxy\/request-timeout/);
  await until(() => gate.upstream.sockets.size === 0);
});

test('an answer that falls silent is broken off, one that goes on is not, and the total ends that too', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: { timeouts: timeouts({ idleMs: 500 }) },
  });
  let ticks = 0;
  gate.upstream.respond = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: hello\n\n');
    if (!req.headers['x-lively']) return;
    const timer = setInterval(() => res.write(`data: ${++ticks}\n\n`), 100);
    res.once('close', () => clearInterval(timer));
  };
  await assert.rejects((await gate.get('/read', headers)).text());
  const leaving = new AbortController();
  const lively = await fetch(`${gate.url}/read`, { headers: { ...headers, 'x-lively': '1' }, signal: leaving.signal });
  const reading = lively.text();
  reading.catch(() => {});
  await until(() => ticks > 12);
  gate.proxy.configureUpstreams({
    site: {
      upstream: gate.upstream.url,
      timeoutMs: 5_000,
      bodyBytesMax: 1_000,
      timeouts: timeouts({ totalMs: 400 }),
    },
  });
  // What is under way keeps the limits that it began with.
  const before = ticks;
  await until(() => ticks > before + 6);
  await assert.rejects((await gate.get('/read', { ...headers, 'x-lively': '1' })).text());
  assert.ok(gate.upstream.sockets.size >= 1);
  leaving.abort();
});

test('a WebSocket on which nothing moves is closed as going away, one on which something does is not', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: { timeouts: timeouts({ websocketIdleMs: 400 }) },
  });
  gate.upstream.onUpgrade = (req, socket) => acceptWebSocket(req, socket);
  const open = () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gate.port}/live`, { headers } as never);
    return { socket, closed: new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve)) };
  };
  const silent = open();
  const lively = open();
  const timer = setInterval(() => lively.socket.readyState === WebSocket.OPEN && lively.socket.send('still here'), 100);
  assert.equal((await silent.closed).code, 1001);
  assert.equal(lively.socket.readyState, WebSocket.OPEN);
  clearInterval(timer);
  assert.equal((await lively.closed).code, 1001);
});

test('an API that does not even take the connection is given up after its own limit', async () => {
  await using log = await openEventLog('memory:');
  // TEST-NET-1: nothing answers there, or the machine says at once that there is no way.
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: { upstream: 'http://192.0.2.1:9', timeouts: timeouts({ connectMs: 200 }) },
  });
  const response = await gate.get('/read', headers);
  assert.ok(response.status === 504 || response.status === 502, String(response.status));
});
