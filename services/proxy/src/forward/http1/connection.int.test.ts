/** What connections do when the other side does what it should not, or the caller does not want the rest. */
import assert from 'node:assert/strict';
import { createServer as createTls } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { certificateAuthority } from '../../trial/certificates.ts';
import { type Call, ConnectTimedOut, MalformedAnswer, type UnderWay } from './exchange.ts';
import { type Http1Pool, http1Pool } from './pool.ts';

/** An API that is told, request for request, what to do on its connection. */
const api = async (answering: (socket: Socket, request: string, connection: number) => void) => {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer((socket) => {
    const connection = ++opened;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (octets) => {
      const request = octets.toString('latin1');
      requests.push(request);
      answering(socket, request, connection);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pool = http1Pool(origin, 2_000);
  return {
    origin,
    pool,
    requests,
    sockets,
    opened: () => opened,
    [Symbol.asyncDispose]: async () => {
      pool.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

type Answer = { readonly status: number; readonly content: string; readonly trailers: readonly string[] };
const get: Call = { method: 'GET', path: '/', headers: ['Host', 'api'], body: null };
/** The whole answer, or why there is none. */
const ask = (
  pool: Http1Pool,
  call: Partial<Call> = {},
  begun?: (under: () => UnderWay) => void,
): Promise<Answer | Error> =>
  new Promise((resolve) => {
    let status = 0;
    let content = '';
    const under = pool.dispatch(
      { ...get, ...call },
      {
        sent: () => {},
        head: (is) => {
          status = is;
          begun?.(() => under);
        },
        data: (octets) => {
          content += octets.toString('latin1');
        },
        ended: (trailers) => resolve({ status, content, trailers }),
        failed: resolve,
      },
    );
  });
const contentOf = (answer: Answer | Error): string => (answer instanceof Error ? answer.message : answer.content);

test('one connection carries one request after the other, and as many are open as are needed at once', async () => {
  await using site = await api((socket) =>
    setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 5),
  );
  for (let at = 0; at < 5; at++) assert.equal(contentOf(await ask(site.pool)), 'ok');
  assert.equal(site.opened(), 1);
  await Promise.all(Array.from({ length: 4 }, () => ask(site.pool)));
  assert.equal(site.opened(), 4);
});

test('octets that nobody asked for are nobody’s answer, whenever they come', async () => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
  await using later = await api((socket, _request, connection) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood`);
    if (connection === 1) setTimeout(() => socket.write(evil), 20);
  });
  assert.equal(contentOf(await ask(later.pool)), 'good');
  await sleep(60);
  assert.equal(contentOf(await ask(later.pool)), 'good');
  assert.equal(later.opened(), 2);

  for (const longer of [
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${evil}`,
    `HTTP/1.1 204 No\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${evil}`,
  ]) {
    await using along = await api((socket) => socket.write(longer));
    assert.ok((await ask(along.pool)) instanceof MalformedAnswer, longer);
  }
  await using head = await api((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'));
  assert.ok((await ask(head.pool, { method: 'HEAD' })) instanceof MalformedAnswer);
});

test('an answer that has no length ends with its connection, and one that has may not end before', async () => {
  await using open = await api((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
  assert.equal(contentOf(await ask(open.pool)), 'all of it');
  for (const half of [
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    'HTTP/1.1 200 OK\r\nContent-Le',
    '',
  ]) {
    await using broken = await api((socket) => socket.end(half));
    assert.ok((await ask(broken.pool)) instanceof Error, half);
  }
});

test('interim answers are not the answer, and a protocol that nobody asked for is none', async () => {
  await using interim = await api((socket) =>
    socket.write(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ),
  );
  assert.equal(contentOf(await ask(interim.pool)), 'ok');
  await using switching = await api((socket) => socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n'));
  assert.ok((await ask(switching.pool)) instanceof MalformedAnswer);
  await using endless = await api((socket) => socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)));
  assert.ok((await ask(endless.pool)) instanceof MalformedAnswer);
  await using long = await api((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${'X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(2_000)}`),
  );
  assert.ok((await ask(long.pool)) instanceof MalformedAnswer);
});

test('a connection is not used any more a second before the API says it ends it, nor one that it has ended', async () => {
  await using site = await api((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 2\r\n\r\nok'),
  );
  site.pool.look(0);
  await ask(site.pool);
  site.pool.look(1_900);
  await ask(site.pool);
  assert.equal(site.opened(), 1);
  site.pool.look(3_900);
  await ask(site.pool);
  assert.equal(site.opened(), 2);
  for (const socket of site.sockets) socket.destroy();
  await sleep(20);
  assert.equal(contentOf(await ask(site.pool)), 'ok');
  assert.equal(site.opened(), 3);
});

test('a reader that paused at the last octets leaves a connection that the next one can read', async () => {
  await using site = await api((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  for (let at = 0; at < 3; at++)
    assert.equal(contentOf(await ask(site.pool, {}, (under) => queueMicrotask(() => under().pause()))), 'ok');
  assert.equal(
    contentOf(
      await new Promise<Answer | Error>((resolve) => {
        const under: UnderWay = site.pool.dispatch(get, {
          sent: () => {},
          head: () => under.pause(),
          data: () => {},
          ended: () => resolve(ask(site.pool)),
          failed: resolve,
        });
      }),
    ),
    'ok',
  );
  assert.equal(site.opened(), 1);
});

test('a body goes in chunks with its trailers, or in as many octets as were said, or not to its end', async () => {
  await using site = await api((socket, request) => {
    if (/\r\n\r\n$|four$/.test(request)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const body = (bytes: number | undefined, ...pieces: string[]) => ({
    method: 'POST',
    body: {
      from: Readable.from(
        pieces.map((piece) => Buffer.from(piece)),
        { objectMode: false },
      ),
      bytes,
      trailers: () => ['Sum', '7'],
    },
  });
  await ask(site.pool, body(undefined, 'one', 'two'));
  assert.ok(
    site.requests.join('').endsWith('Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nSum: 7\r\n\r\n'),
    site.requests.join(''),
  );
  assert.equal(contentOf(await ask(site.pool, body(4, 'fo', 'ur'))), 'ok');
  for (const wrong of [body(3, 'fo', 'ur'), body(5, 'fo', 'ur!!')])
    assert.ok((await ask(site.pool, wrong)) instanceof Error);
  const source = new PassThrough();
  const going = ask(site.pool, { method: 'POST', body: { from: source, bytes: 9, trailers: () => [] } });
  source.write('half');
  setTimeout(() => source.destroy(), 20);
  assert.ok((await going) instanceof Error);
});

test('an answer that does not wait for the whole request is passed on, and its connection carries no other', async () => {
  await using site = await api((socket, request) => {
    if (request.startsWith('POST') || request.startsWith('GET'))
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
  });
  const source = new PassThrough();
  source.write('begun');
  const answer = await ask(site.pool, { method: 'POST', body: { from: source, bytes: 1_000_000, trailers: () => [] } });
  assert.equal(answer instanceof Error ? answer.message : answer.status, 413);
  source.write('the rest of a request that might be taken for another');
  assert.equal(contentOf(await ask(site.pool)), 'no');
  assert.equal(site.opened(), 2);
});

test('what is aborted ends its connection, also before there is one', async () => {
  await using site = await api((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
  const heard = new Set<string>();
  const listener = {
    sent: () => heard.add('sent'),
    head: () => heard.add('head'),
    data: () => heard.add('data'),
    ended: () => heard.add('ended'),
    failed: () => heard.add('failed'),
  };
  site.pool.dispatch(get, listener).abort();
  await sleep(20);
  assert.equal(heard.size, 0);
  const under = site.pool.dispatch(get, listener);
  while (!heard.has('data')) await sleep(5);
  under.abort();
  while (site.sockets.size > 0) await sleep(5);
  assert.deepEqual([...heard], ['sent', 'head', 'data']);
});

test('who does not answer a connection in time is given up', async () => {
  await using silent = await api(() => {});
  const pool = http1Pool(silent.origin.replace('http:', 'https:'), 50);
  const answer = await ask(pool);
  pool.destroy();
  assert.ok(answer instanceof ConnectTimedOut, contentOf(answer));
});

test('an API with a certificate is reached by the name in it, and by no other', async () => {
  const authority = await certificateAuthority('CN=APIs');
  const { certificate: cert, key } = await authority.sign({
    usage: 'server',
    names: [{ type: 'dns', value: 'localhost' }],
  });
  const server = createTls({ cert, key }, (_request, response) => void response.end('over TLS'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const before = getCACertificates();
  setDefaultCACertificates([...before, authority.certificate]);
  const named = http1Pool(`https://localhost:${port}`, 2_000);
  const numbered = http1Pool(`https://127.0.0.1:${port}`, 2_000);
  try {
    assert.deepEqual([contentOf(await ask(named)), contentOf(await ask(named))], ['over TLS', 'over TLS']);
    assert.ok((await ask(numbered)) instanceof Error);
    setDefaultCACertificates(before);
    const untrusting = http1Pool(`https://localhost:${port}`, 2_000);
    assert.ok((await ask(untrusting)) instanceof Error);
    untrusting.destroy();
  } finally {
    named.destroy();
    numbered.destroy();
    server.close();
  }
});
