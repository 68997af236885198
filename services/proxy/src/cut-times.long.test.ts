/**
 * How soon what is under way is cut when its decision turns: a WebSocket, an event stream, a download, an upload, fifty times each by a
 * revocation, counted from when the revocation is appended to when the caller sees the end. The figures are printed; the bound that is
 * asserted is generous, because the machine is everybody's.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { appendAll, granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, type Trial, until } from './trial/gate.ts';

const rounds = 50;
const key = 'psk_ann';
const facts = [
  routes(
    'site',
    '/',
    { id: 'site/live', method: 'GET', template: '/live', websocket: true },
    { id: 'site/events', method: 'GET', template: '/events' },
    { id: 'site/download', method: 'GET', template: '/download' },
    { id: 'site/upload', method: 'POST', template: '/upload' },
  ),
  role('watcher', { service: 'site', access: 'read' }),
  joined('user:ann'),
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'watcher').issued,
];
const head = (line: string, more = ''): string =>
  `${line} HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\n${more}\r\n`;
const handshake =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';

type Kind = { readonly name: string; readonly text: string; readonly sends?: boolean };
const kinds: readonly Kind[] = [
  { name: 'WebSocket', text: head('GET /live', handshake) },
  { name: 'event stream', text: head('GET /events') },
  { name: 'download', text: head('GET /download') },
  { name: 'upload', text: head('POST /upload', 'Transfer-Encoding: chunked\r\n'), sends: true },
];

/** Opens a stream that flows; resolves once both sides are in it. */
const open = async (
  gate: Trial,
  { text, sends }: Kind,
): Promise<{ readonly closed: Promise<unknown>; readonly end: () => void }> => {
  const connections = gate.upstream.sockets.size;
  const socket = connect(gate.port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.write(text);
  const timer = sends === true ? setInterval(() => socket.write('5\r\nhello\r\n'), 5) : undefined;
  if (sends === true) await until(() => gate.upstream.sockets.size > connections);
  else await once(socket, 'data');
  socket.resume();
  return {
    closed,
    end: () => {
      clearInterval(timer);
      socket.destroy();
    },
  };
};

test(`${kinds.map(({ name }) => name).join(', ')}: each is cut when the grant behind it is revoked`, async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site', bodyBytesMax: 1e9 });
  gate.upstream.respond = (req, res) => {
    res.writeHead(200, { 'content-type': req.url === '/events' ? 'text/event-stream' : 'application/octet-stream' });
    const chunk = req.url === '/events' ? 'data: tick\n\n' : Buffer.alloc(16_384);
    res.write(chunk);
    const timer = setInterval(() => res.write(chunk), 10);
    res.on('close', () => clearInterval(timer));
  };
  for (const kind of kinds) {
    const took: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const grant = granted('user:ann', 'watcher');
      await gate.tell(grant.issued);
      const stream = await open(gate, kind);
      const begun = performance.now();
      await appendAll(log, grant.revoked);
      await stream.closed;
      took.push(performance.now() - begun);
      stream.end();
    }
    took.sort((a, b) => a - b);
    const [middle, last] = [took[rounds >> 1] ?? 0, took.at(-1) ?? 0];
    process.stdout.write(`${kind.name}: cut ${rounds} times, p50 ${middle.toFixed(1)} ms, max ${last.toFixed(1)} ms\n`);
    assert.ok(middle < 1_000, `${kind.name}: half of the cuts took longer than ${middle} ms`);
  }
});

test('a stream whose hour has passed is cut, without any fact', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  gate.upstream.respond = (_req, res) => void res.writeHead(200).write('on');
  const took: number[] = [];
  for (let round = 0; round < 10; round++) {
    // Conditions look at whole seconds: the turn is the second that `until` names.
    const turn = (Math.floor(Date.now() / 1_000) + 2) * 1_000;
    await gate.tell(granted('user:ann', 'watcher', { until: new Date(turn).toISOString() }).issued);
    const stream = await open(gate, { name: '', text: head('GET /download') });
    await stream.closed;
    took.push(Date.now() - turn);
  }
  took.sort((a, b) => a - b);
  process.stdout.write(
    `cut by the hour ${took.length} times, p50 ${took[took.length >> 1]} ms, max ${took.at(-1)} ms behind it\n`,
  );
  assert.ok((took[0] ?? -1) >= 0, 'never before the hour');
});
