import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { Outliers } from '@postern/schemas';
import { openTelemetry } from '@postern/telemetry/open';
import { startTrial, until } from './trial/gate.ts';
import { siteFacts as facts, siteHeaders as headers } from './trial/site.ts';
import { recordingUpstream } from './trial/upstream.ts';

const outliers = (rules: object = {}) => Outliers.parse(rules);
type Trial = Awaited<ReturnType<typeof startTrial>>;
const call = async (gate: Trial) => {
  const response = await gate.get('/read', headers);
  return { status: response.status, body: await response.text(), response };
};
const codeOf = (body: string) => (JSON.parse(body) as { type: string }).type.replace('urn:postern:problem:', '');
const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};
/** Takes connections and hangs up on each as soon as something comes. */
const hangingUp = async (answersFirst = 0): Promise<{ url: string; connections: () => number } & AsyncDisposable> => {
  let connections = 0;
  let answered = 0;
  const server: Server = createServer((socket) => {
    connections++;
    socket.on('error', () => {});
    socket.on('data', () => {
      if (answered++ < answersFirst) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
};

test('requests go to the less busy of several targets, and each is told under its own name', async () => {
  await using log = await openEventLog('memory:');
  await using other = await recordingUpstream();
  await using third = await recordingUpstream();
  const targets: string[] = [];
  await using gate = await startTrial(log, facts, { service: 'site', traffic: { upstream: [other.url, third.url] } });
  // One is kept busy: whoever comes finds it so.
  const busy: (() => void)[] = [];
  other.respond = (_req, res) => void busy.push(() => res.end('slow'));
  third.respond = (req, res) => {
    targets.push(req.headers.host ?? '');
    res.end('quick');
  };
  const all: Promise<unknown>[] = [];
  const oneMore = async (): Promise<void> => {
    const before = busy.length;
    let done = false;
    all.push(
      call(gate).then(() => {
        done = true;
      }),
    );
    await until(() => done || busy.length > before);
  };
  while (busy.length === 0) await oneMore();
  for (let count = 0; count < 20; count++) await oneMore();
  // Both picked the busy one about every fourth time; the quick one has had the rest.
  assert.ok(
    targets.length > busy.length,
    `${targets.length} went to the one that was free, ${busy.length} to the busy one`,
  );
  assert.ok(targets.every((host) => third.url === `http://${host}`));
  assert.deepEqual(new Set(gate.proxy.targets().map(({ target }) => target)), new Set([other.url, third.url]));
  for (const answer of busy) answer();
  await Promise.all(all);
});

test('a request whose target cannot be connected to goes to another, body and all, and is recorded once', async () => {
  await using log = await openEventLog('memory:');
  await using other = await recordingUpstream();
  const dead = `http://127.0.0.1:${await freePort()}`;
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: {
      upstream: [dead, other.url],
      outliers: outliers({ consecutiveFailures: 0 }),
      retries: { attempts: 1, budgetShare: 1 },
    },
  });
  for (let count = 0; count < 20; count++) {
    const response = await fetch(`${gate.url}/write`, { method: 'POST', headers, body: `body ${count}` });
    assert.equal(response.status, 200);
    await response.text();
  }
  assert.deepEqual(
    other.seen.map(({ body }) => body),
    Array.from({ length: 20 }, (_, count) => `body ${count}`),
  );
  assert.ok(other.seen.every(({ headers: seen }) => `http://${seen['host']}` === other.url));
  assert.equal((await gate.decisions(20)).length, 20);
});

test('what an API may have acted on is not sent again; a GET that found its connection broken is', async () => {
  await using log = await openEventLog('memory:');
  await using broken = await hangingUp();
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: {
      upstream: broken.url,
      outliers: outliers({ consecutiveFailures: 0 }),
      retries: { attempts: 2, budgetShare: 1 },
    },
  });
  const posted = await fetch(`${gate.url}/write`, { method: 'POST', headers, body: 'once' });
  assert.equal(posted.status, 502);
  assert.equal(broken.connections(), 1);
  assert.equal((await call(gate)).status, 502);
  assert.equal(broken.connections(), 4);
});

test('retries end with their budget', async () => {
  await using log = await openEventLog('memory:');
  await using broken = await hangingUp();
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: {
      upstream: broken.url,
      outliers: outliers({ consecutiveFailures: 0 }),
      retries: { attempts: 1, budgetShare: 0 },
    },
  });
  for (let count = 0; count < 30; count++) assert.equal((await call(gate)).status, 502);
  // Ten are there before any is earned.
  assert.equal(broken.connections(), 40);
});

test('never after a byte of an answer: half an answer ends in half an answer', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: { retries: { attempts: 5, budgetShare: 1 } },
  });
  gate.upstream.respond = (_req, res) => {
    res.writeHead(200, { 'content-length': '1000' });
    res.write('half');
    setTimeout(() => res.destroy(), 20);
  };
  await assert.rejects(call(gate));
  assert.equal(gate.upstream.seen.length, 1);
});

test('a target that fails is set aside, tried again with one request, and back when that went well', async () => {
  await using log = await openEventLog('memory:');
  await using bad = await recordingUpstream();
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: {},
    config: {},
  });
  gate.proxy.configureUpstreams({
    site: {
      upstream: [gate.upstream.url, bad.url],
      timeoutMs: 5_000,
      bodyBytesMax: 1_000,
      outliers: outliers({ consecutiveFailures: 3, baseMs: 300 }),
    },
  });
  const standing = () => gate.proxy.targets().find(({ target }) => target === bad.url)?.standing;
  let ill = true;
  bad.respond = (_req, res) => void res.writeHead(ill ? 500 : 200).end();
  while (standing() === 'in') await call(gate);
  assert.equal(bad.seen.length, 3);
  assert.match(gate.proxy.targets().find(({ target }) => target === bad.url)?.why ?? '', /3 failures in a row/);
  // Nobody meets it while it is aside, and when it is tried one request is enough to set it aside again.
  while (bad.seen.length < 4) assert.equal((await call(gate)).status < 501, true);
  assert.equal(standing(), 'out');
  ill = false;
  while (standing() !== 'in') assert.equal((await call(gate)).status, 200);
  assert.equal(gate.proxy.targets().find(({ target }) => target === bad.url)?.why, undefined);
});

test('of targets that answer, never all are set aside; targets that nothing connects to are, and the caller is told at once', async () => {
  await using log = await openEventLog('memory:');
  await using other = await recordingUpstream();
  const rules = outliers({ consecutiveFailures: 2, baseMs: 60_000, maxShare: 1 });
  await using gate = await startTrial(log, facts, { service: 'site' });
  const configured = {
    timeoutMs: 5_000,
    bodyBytesMax: 1_000,
    outliers: rules,
    retries: { attempts: 0, budgetShare: 0 },
  };
  gate.proxy.configureUpstreams({ site: { ...configured, upstream: [gate.upstream.url, other.url] } });
  for (const each of [gate.upstream, other]) each.respond = (_req, res) => void res.writeHead(500).end();
  for (let count = 0; count < 30; count++) assert.equal((await call(gate)).status, 500);
  assert.equal(gate.proxy.targets().filter(({ standing }) => standing === 'in').length, 1);
  const dead = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  gate.proxy.configureUpstreams({ site: { ...configured, upstream: dead } });
  const statuses: number[] = [];
  while (statuses.at(-1) !== 503) statuses.push((await call(gate)).status);
  assert.ok(statuses.length <= 5, statuses.join());
  const { status, body, response } = await call(gate);
  assert.equal(status, 503);
  assert.equal(codeOf(body), 'proxy/no-upstream');
  assert.equal(response.headers.get('retry-after'), '1');
});

test('a target that is not well by its own word gets no requests until it is', async () => {
  await using log = await openEventLog('memory:');
  await using other = await recordingUpstream();
  const telemetry = await openTelemetry({ service: 'trial', otlp: undefined });
  await using gate = await startTrial(log, facts, { service: 'site', deps: { telemetry } });
  gate.proxy.configureUpstreams({
    site: {
      upstream: [gate.upstream.url, other.url],
      timeoutMs: 5_000,
      bodyBytesMax: 1_000,
      health: { path: '/healthz', everyMs: 20, timeoutMs: 1_000, unhealthyAfter: 2, healthyAfter: 2 },
    },
  });
  let well = false;
  other.respond = (req, res) => void res.writeHead(req.url === '/healthz' && !well ? 503 : 200).end();
  const standing = () => gate.proxy.targets().find(({ target }) => target === other.url)?.standing;
  await until(() => standing() === 'out');
  for (let count = 0; count < 20; count++) assert.equal((await call(gate)).status, 200);
  assert.ok(other.seen.every(({ url }) => url === '/healthz'));
  await until(async () =>
    (await telemetry.metrics.exposition()).text.includes(
      `postern_proxy_upstream_up{service="site",target="${other.url}"} 0`,
    ),
  );
  well = true;
  await until(() => standing() === 'in');
  while (other.seen.every(({ url }) => url === '/healthz')) assert.equal((await call(gate)).status, 200);
});
