import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, until } from './trial/gate.ts';

const key = 'psk_ann';
const grant = granted('user:ann', 'all');
const facts = [
  routes(
    'site',
    '/',
    { id: 'site/read', method: 'GET', template: '/read' },
    { id: 'site/ping', method: 'GET', template: '/ping' },
    { id: 'site/write', method: 'POST', template: '/write', access: 'write' },
  ),
  role('all', { service: 'site', access: 'read' }, { service: 'site', access: 'write' }),
  joined('user:ann'),
  grant.issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'all').issued,
];
const headers = { 'x-api-key': key };
const callers = 200;
const bodyBytes = 1_073_741_824;
/**
 * For the gate, the API and the callers together, which share this process. What a slow caller costs is what the gate has read and
 * cannot pass on: a few reads of 64 KiB. Without backpressure it would be up to 200 GiB.
 */
const growthMax = 256 * 1_048_576;

/** Sends and takes bodies that nobody has to hold, and never faster than the other side. */
const bigApi = async () => {
  let written = 0;
  const chunk = Buffer.alloc(65_536, 'x');
  const open = new Set<Socket>();
  const server = createServer((req, res) => {
    if (req.url === '/ping') return void res.end('pong');
    // A body is left where it is.
    if (req.method === 'POST') return;
    res.writeHead(200, { 'content-length': bodyBytes });
    let left = bodyBytes;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        written += chunk.length;
        if (!res.write(chunk)) return void res.once('drain', more);
      }
      res.end();
    };
    more();
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    written: () => written,
    open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
const sockets = (port: number, head: string): Promise<Socket[]> =>
  Promise.all(
    Array.from(
      { length: callers },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => {
            socket.pause();
            socket.write(`${head}\r\nHost: gate.test\r\nX-API-Key: ${key}\r\n`);
            resolve(socket);
          });
          socket.once('error', reject);
          socket.on('error', () => {});
        }),
    ),
  );
/** Until the number stays what it is for half a second. */
const settled = async (count: () => number): Promise<void> => {
  let before = -1;
  await until(async () => {
    if (count() === before) return true;
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return false;
  });
};

test('200 callers who do not read answers of 1 GiB fill no memory, hinder nobody, and are cut when their grant is revoked', async (t) => {
  await using log = await openEventLog('memory:');
  await using api = await bigApi();
  await using gate = await startTrial(log, facts, { service: 'site', traffic: { upstream: api.url } });
  assert.equal(await (await gate.get('/ping', headers)).text(), 'pong');
  const before = process.memoryUsage().rss;
  const reading = await sockets(gate.port, 'GET /read HTTP/1.1');
  for (const socket of reading) socket.write('\r\n');
  await until(() => api.written() > 0);
  await settled(api.written);
  const still = process.memoryUsage().rss - before;
  // All of them take a little, and stop again.
  for (const socket of reading) socket.resume();
  await until(() => reading.every(({ bytesRead }) => bytesRead > 1_000_000));
  for (const socket of reading) socket.pause();
  await settled(api.written);
  const growth = Math.max(still, process.memoryUsage().rss - before);
  t.diagnostic(`${callers} slow readers: ${Math.round(growth / 1_048_576)} MiB more`);
  assert.ok(growth < growthMax, `${growth} bytes more for ${callers} callers who do not read`);
  assert.ok(api.written() < (callers * bodyBytes) / 10, `${api.written()} bytes were taken from the API`);
  assert.equal(await (await gate.get('/ping', headers)).text(), 'pong');
  await gate.tell(grant.revoked);
  await until(() => api.open.size <= 1);
  for (const socket of reading) socket.destroy();
});

test('200 callers who send 1 GiB to an API that does not read it fill no memory', async (t) => {
  await using log = await openEventLog('memory:');
  await using api = await bigApi();
  await using gate = await startTrial(log, facts, {
    service: 'site',
    bodyBytesMax: bodyBytes,
    traffic: { upstream: api.url },
  });
  assert.equal(await (await gate.get('/ping', headers)).text(), 'pong');
  const before = process.memoryUsage().rss;
  const sending = await sockets(gate.port, 'POST /write HTTP/1.1');
  const chunk = Buffer.alloc(65_536, 'x');
  let sent = 0;
  for (const [at, socket] of sending.entries()) {
    const chunked = at % 2 === 0;
    socket.write(chunked ? 'Transfer-Encoding: chunked\r\n\r\n' : `Content-Length: ${bodyBytes}\r\n\r\n`);
    const more = (): void => {
      for (;;) {
        if (socket.destroyed) return;
        if (chunked) socket.write(`${chunk.length.toString(16)}\r\n`);
        sent += chunk.length;
        const room = socket.write(chunk);
        if (chunked) socket.write('\r\n');
        if (!room) return void socket.once('drain', more);
      }
    };
    more();
  }
  await settled(() => sent);
  const growth = process.memoryUsage().rss - before;
  t.diagnostic(`${callers} slow uploads: ${Math.round(growth / 1_048_576)} MiB more`);
  assert.ok(growth < growthMax, `${growth} bytes more for ${callers} uploads that are not read`);
  assert.ok(sent < (callers * bodyBytes) / 10, `${sent} bytes were taken from the callers`);
  assert.equal(await (await gate.get('/ping', headers)).text(), 'pong');
  await gate.tell(grant.revoked);
  await until(() => sending.every(({ destroyed }) => destroyed));
});
