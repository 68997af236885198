import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { RateLimit } from '@postern/schemas';
import { startTrial, until } from './trial/gate.ts';
import { constantLoad } from './trial/load.ts';
import { siteFacts as facts, siteHeaders as headers, siteKey as key } from './trial/site.ts';
import { recordingUpstream } from './trial/upstream.ts';

/** Answers take a moment, so that there is always something under way. */
const slowly = (upstream: Awaited<ReturnType<typeof recordingUpstream>>): void => {
  upstream.respond = (_req, res) => void setTimeout(() => res.end('the API answers'), Math.random() * 20);
};

test('targets, timeouts, limits and trusted proxies change every 100 ms under constant load, and no request is lost', async () => {
  await using log = await openEventLog('memory:');
  await using one = await recordingUpstream();
  await using other = await recordingUpstream();
  await using gate = await startTrial(log, facts, { service: 'site' });
  for (const each of [one, other, gate.upstream]) slowly(each);
  const load = constantLoad(gate.url, headers);
  const choices = [[one.url], [other.url, gate.upstream.url], [one.url, gate.upstream.url], [other.url]];
  for (let count = 0; count < 30; count++) {
    gate.proxy.configureUpstreams({
      site: {
        upstream: choices[count % choices.length] ?? [],
        timeoutMs: 5_000 + count,
        bodyBytesMax: 1_000 + count,
        // Connections are made anew too.
        timeouts: { connectMs: 1_000 + count, idleMs: 60_000, websocketIdleMs: 60_000, totalMs: 10_000 },
        ...(count % 2 === 0 && { rateLimits: [RateLimit.parse({ requests: 1_000_000 })] }),
      },
    });
    gate.proxy.configureTrustedProxies(count % 2 === 0 ? ['127.0.0.0/8'] : []);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.deepEqual(await load.stop(), []);
  assert.ok(load.answered() > 100, `${load.answered()}`);
  assert.equal(one.seen.length + other.seen.length + gate.upstream.seen.length, load.answered());
  assert.ok(one.seen.length > 0 && other.seen.length > 0);
});

test('a gate that stops under load while another listens on its port loses no request', async () => {
  await using log = await openEventLog('memory:');
  const config = { sharesPort: true, drain: { delayMs: 50, idleMs: 300, timeoutMs: 5_000 } };
  let old = await startTrial(log, facts, { service: 'site', config });
  const { port } = old;
  slowly(old.upstream);
  const load = constantLoad(`http://127.0.0.1:${port}`, headers);
  for (let count = 0; count < 3; count++) {
    const next = await startTrial(log, [], { service: 'site', config: { ...config, listen: `127.0.0.1:${port}` } });
    slowly(next.upstream);
    const before = load.answered();
    await until(() => load.answered() > before + 50);
    await old[Symbol.asyncDispose]();
    old = next;
  }
  const before = load.answered();
  await until(() => load.answered() > before + 50);
  assert.deepEqual(await load.stop(), []);
  await old[Symbol.asyncDispose]();
  assert.ok(old.upstream.seen.length > 0);
});

test('a stopping gate is not ready first, answers what comes on open connections for the last time, and cuts streams at the end', async () => {
  await using log = await openEventLog('memory:');
  const config = { drain: { delayMs: 300, idleMs: 300, timeoutMs: 1_500 } };
  const gate = await startTrial(log, facts, { service: 'site', config });
  gate.upstream.respond = (req, res) => {
    if (req.method === 'POST') res.end('done');
    else res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: hello\n\n');
  };
  const stream = await gate.get('/read', headers);
  const reader = stream.body?.getReader();
  await reader?.read();
  /** A connection that is kept. */
  const kept = connect(gate.port, '127.0.0.1');
  let heard = '';
  let closed = false;
  kept.on('data', (chunk) => {
    heard += chunk.toString();
  });
  kept.on('close', () => {
    closed = true;
  });
  const ask = async (): Promise<string> => {
    heard = '';
    kept.write(`POST /write HTTP/1.1\r\nHost: gate.test\r\nX-API-Key: ${key}\r\nContent-Length: 2\r\n\r\nhi`);
    await until(() => heard.endsWith('done') || heard.includes('\r\n0\r\n\r\n'));
    return heard;
  };
  assert.match(await ask(), /^HTTP\/1.1 200 [\s\S]*connection: keep-alive/i);
  const stopped = gate[Symbol.asyncDispose]();
  assert.deepEqual(gate.proxy.notReady(), ['stopping']);
  // While it only says so, everything is served, new connections too.
  assert.match(await ask(), /connection: keep-alive/i);
  assert.equal((await fetch(`${gate.url}/write`, { method: 'POST', headers, body: 'x' })).status, 200);
  await until(async () => {
    try {
      await new Promise<void>((resolve, reject) => {
        const probe = connect(gate.port, '127.0.0.1', () => resolve(void probe.destroy())).on('error', reject);
      });
      return false;
    } catch {
      return true;
    }
  });
  assert.match(await ask(), /^HTTP\/1.1 200 [\s\S]*connection: close/i);
  await until(() => closed);
  await assert.rejects(async () => {
    for (;;) if ((await reader?.read())?.done) break;
  });
  await stopped;
});
