import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { startTrial } from './trial/gate.ts';
import { siteFacts as facts, siteHeaders as headers, siteKey as key } from './trial/site.ts';

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly interim: readonly number[];
  readonly body: string;
};
const call = (url: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const interim: number[] = [];
    const sent = request(`${url}/read`, { headers: { ...headers, ...more } });
    sent.on('information', ({ statusCode }) => interim.push(statusCode));
    sent.once('error', reject);
    sent.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode: status = 0, headers, trailers } = response;
        resolve({ status, headers, trailers, interim, body });
      });
    });
    sent.end();
  });

test('trailers are passed to whoever takes them, but for those that must not trail, and the API hears that they are taken', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { trailer: 'X-Checksum' });
    res.write('body');
    res.addTrailers([
      ['X-Checksum', 'abc'],
      ['Set-Cookie', 'a=b'],
      ['Content-Type', 'text/html'],
      ['Postern-Decision', 'forged'],
    ]);
    res.end();
  };
  const taken = await call(gate.url, { te: 'gzip, trailers', connection: 'te' });
  assert.deepEqual({ ...taken.trailers }, { 'x-checksum': 'abc' });
  assert.equal(taken.headers['trailer'], 'X-Checksum');
  assert.equal(taken.body, 'body');
  assert.equal(gate.upstream.seen[0]?.headers['te'], 'trailers');
  const not = await call(gate.url);
  assert.deepEqual({ ...not.trailers }, {});
  assert.equal(not.headers['trailer'], undefined);
  assert.equal(gate.upstream.seen[1]?.headers['te'], undefined);
});

test('what comes behind a chunked request stays behind it: trailers reach the API as trailers, but for what must not trail', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  let trailers: readonly string[] = [];
  gate.upstream.respond = (req, res) => {
    trailers = req.rawTrailers;
    res.end('ok');
  };
  const trailing =
    'X-Late: 1\r\nPostern-Assertion: forged\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 10.0.0.1\r\nX-HTTP-Method-Override: DELETE\r\nCookie: a=b\r\nX_Api_Key: y\r\n';
  const answer = await gate.raw(
    `POST /write HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n2\r\nhi\r\n0\r\n${trailing}\r\n`,
  );
  assert.equal(answer.status, 200);
  assert.equal(gate.upstream.seen[0]?.body, 'hi');
  assert.deepEqual(trailers, ['X-Late', '1']);
  assert.ok(!gate.upstream.seen[0]?.names.some((name) => name === 'x-late' || name === 'trailer'));
});

test('early hints end at the gate, and the answer behind them does not', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  gate.upstream.respond = (_req, res) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload' });
    res.writeProcessing();
    setTimeout(() => res.end('late'), 20);
  };
  const answer = await call(gate.url);
  assert.deepEqual([answer.status, answer.body, answer.interim], [200, 'late', []]);
});

test('a head that is too large is refused as such, and recorded', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  const answer = await gate.raw(`GET /read HTTP/1.1\r\nHost: gate.test\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
  assert.equal(answer.status, 431);
  assert.match(answer.body, /proxy\/head-too-large/);
  assert.equal((await gate.decisions(1))[0]?.refusedWith, 431);
  assert.equal(gate.upstream.seen.length, 0);
});

test('how long each step took is told to whoever asks, where the service lets it be told, and always where it says so', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site', traffic: { serverTiming: 'asked' } });
  const shape = /^route;dur=\d+\.\d\d, decide;dur=\d+\.\d\d(;desc="cached")?, upstream;dur=(\d+\.\d\d)$/;
  gate.upstream.respond = (_req, res) => void setTimeout(() => res.end('late'), 60);
  const asked = await call(gate.url, { 'postern-timing': '1' });
  const told = shape.exec(String(asked.headers['server-timing']));
  assert.ok(Number(told?.[2]) >= 50, String(asked.headers['server-timing']));
  assert.equal(gate.upstream.seen[0]?.headers['postern-timing'], undefined);
  assert.equal((await call(gate.url)).headers['server-timing'], undefined);
  const configure = (serverTiming: 'always' | 'never') =>
    gate.proxy.configureUpstreams({
      site: { upstream: gate.upstream.url, timeoutMs: 5_000, bodyBytesMax: 1_000, serverTiming },
    });
  configure('always');
  assert.match(String((await call(gate.url)).headers['server-timing']), shape);
  configure('never');
  assert.equal((await call(gate.url, { 'postern-timing': '1' })).headers['server-timing'], undefined);
});

test('addresses and schemes that callers claim count only where they come from a trusted proxy, from the next request on', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  const claimed = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', forwarded: 'for=203.0.113.9' };
  const heard = async () => {
    await call(gate.url, claimed);
    const seen = gate.upstream.seen.at(-1)?.headers;
    return [seen?.['x-forwarded-for'], seen?.['x-forwarded-proto'], seen?.['forwarded']];
  };
  assert.deepEqual(await heard(), ['127.0.0.1', 'http', undefined]);
  gate.proxy.configureTrustedProxies(['127.0.0.0/8']);
  assert.deepEqual(await heard(), ['203.0.113.7', 'https', undefined]);
  gate.proxy.configureTrustedProxies(['10.0.0.0/8']);
  assert.deepEqual(await heard(), ['127.0.0.1', 'http', undefined]);
});

test('a caller who waits to be asked for a body is asked by the gate, also where the API never would', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  const heard = await new Promise<string>((resolve) => {
    let all = '';
    const socket = connect(gate.port, '127.0.0.1', () =>
      socket.write(
        `POST /write HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
      ),
    );
    socket.on('data', (chunk) => {
      all += chunk.toString();
      if (all.endsWith('100 Continue\r\n\r\n')) socket.write('hi');
      if (!all.includes('the API answers')) return;
      socket.destroy();
      resolve(all);
    });
  });
  assert.match(heard, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  assert.equal(gate.upstream.seen[0]?.headers['expect'], undefined);
});
