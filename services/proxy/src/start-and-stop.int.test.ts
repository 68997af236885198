import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '@postern/event-log';
import { openEventLog } from '@postern/event-log/open';
import { silentLogger, systemClock } from '@postern/runtime';
import { DecisionBatch, Heartbeat } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { type ProxyDeps, proxyService } from './app.ts';
import { bruteForce } from './trial/brute-force.ts';
import { appendAll, granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, until } from './trial/gate.ts';
import { recordingUpstream } from './trial/upstream.ts';

const key = 'psk_ann';
const grant = granted('user:ann', 'reader');
const facts = [
  routes('site', '/', { id: 'site/read', method: 'GET', template: '/read' }),
  role('reader', { service: 'site', access: 'read' }),
  joined('user:ann'),
  grant.issued,
  keyed('credential:k1', 'user:ann', key),
  granted('credential:k1', 'reader').issued,
];
const heartbeats = async (log: EventLog, enough: (beats: Heartbeat[]) => boolean): Promise<Heartbeat[]> => {
  const beats: Heartbeat[] = [];
  const over = new AbortController();
  for await (const { records } of log.enforcement.follow({}, { signal: over.signal, beatMs: 20 })) {
    for (const { bytes } of records) beats.push(Heartbeat.parse(JSON.parse(Buffer.from(bytes).toString())));
    if (enough(beats)) over.abort();
  }
  return beats;
};
const config = (upstream: string) => ({
  instance: 'trial',
  listen: '127.0.0.1:0',
  upstreams: { site: { upstream, timeoutMs: 1_000, bodyBytesMax: 1_000 } },
  issuers: [],
  trustedProxies: [],
  leaseMs: 2_000,
  cachedDecisionsMax: 100,
});

test('a starting proxy tells everyone before it looks where the log ends, and serves nothing until it has come that far', async () => {
  await using log = await openEventLog('memory:');
  await using upstream = await recordingUpstream();
  const point = bruteForce(log);
  await appendAll(log, ...facts);
  const order: string[] = [];
  const mayBeat = Promise.withResolvers<void>();
  const mayFollow = Promise.withResolvers<void>();
  const eventLog: ProxyDeps['eventLog'] = {
    decisions: log.decisions,
    enforcement: {
      follow: log.enforcement.follow.bind(log.enforcement),
      publish: async (records) => {
        await mayBeat.promise;
        await log.enforcement.publish(records);
        order.push('beat acknowledged');
      },
    },
    facts: {
      head: async () => {
        order.push('head read');
        return log.facts.head();
      },
      follow: async function* (after, options) {
        await mayFollow.promise;
        yield* log.facts.follow(after, options);
      },
    },
  };
  const proxy = proxyService(
    { eventLog, decisionPoint: point, clock: systemClock, telemetry: noTelemetry, log: silentLogger },
    config(upstream.url),
  );
  await proxy.start();
  const call = () => fetch(`http://127.0.0.1:${proxy.address()?.port}/read`, { headers: { 'x-api-key': key } });
  const early = await call();
  assert.equal(early.status, 503);
  assert.equal(((await early.json()) as { type: string }).type, 'urn:postern:problem:proxy/not-ready');
  assert.deepEqual(order, []);
  mayBeat.resolve();
  await until(() => order.length >= 2);
  assert.deepEqual(order.slice(0, 2), ['beat acknowledged', 'head read']);
  assert.equal((await call()).status, 503);
  assert.equal(proxy.notReady().length, 1);
  mayFollow.resolve();
  await until(() => proxy.notReady().length === 0);
  assert.equal((await call()).status, 200);
  assert.equal(upstream.seen.length, 1);
  await proxy.stop();
  point.stop();
  const beats = await heartbeats(log, (all) => all.at(-1)?.state === 'stopped');
  assert.deepEqual([beats[0]?.state, beats[0]?.enforces], ['starting', 0]);
  assert.ok(beats.some(({ state, enforces }) => state === 'serving' && enforces === facts.length));
  assert.equal(new Set(beats.map(({ instance }) => instance)).size, 1);
});

test('enforces is told at once, with the key that assertions are signed with', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site', config: { leaseMs: 60_000 } });
  // The next regular beat is 12 s away: what is told now is told because of the fact.
  await gate.tell(grant.revoked);
  const beats = await heartbeats(log, (all) => all.some(({ enforces }) => enforces === facts.length + 1));
  const { keys } = (await (await gate.get('/.well-known/jwks.json')).json()) as { keys: { kid: string }[] };
  assert.equal(beats.at(-1)?.jwk['kid'], keys[0]?.kid);
});

test("two proxies publish each other's keys", async () => {
  await using log = await openEventLog('memory:');
  await using one = await startTrial(log, facts, { service: 'site', config: { leaseMs: 1_000 } });
  await using other = await startTrial(log, [], { service: 'site', config: { leaseMs: 1_000 } });
  const kids = async (gate: typeof one) =>
    ((await (await gate.get('/.well-known/jwks.json')).json()) as { keys: { kid: string }[] }).keys
      .map(({ kid }) => kid)
      .sort();
  await until(async () => (await kids(one)).length === 2 && (await kids(other)).length === 2);
  assert.deepEqual(await kids(one), await kids(other));
});

test('stopping finishes what is begun, records everything, and says farewell', async () => {
  await using log = await openEventLog('memory:');
  const gate = await startTrial(log, facts, { service: 'site' });
  const begun = Promise.withResolvers<() => void>();
  gate.upstream.respond = (_req, res) => begun.resolve(() => void res.end('late'));
  const answer = gate.get('/read', { 'x-api-key': key });
  const finish = await begun.promise;
  const stopped = gate[Symbol.asyncDispose]();
  await assert.rejects(
    until(async () => (await gate.get('/read')).status === 0),
    'no new connection is taken',
  );
  finish();
  assert.equal(await (await answer).text(), 'late');
  await stopped;
  assert.equal((await gate.decisions(1)).filter(({ outcome }) => outcome === 'allow').length, 1);
});

test('nothing passes unrecorded: when the log takes no decisions, the gate refuses, and nothing is lost once it does again', async () => {
  await using log = await openEventLog('memory:');
  let away = true;
  const decisions = {
    publish: (records: never) => (away ? Promise.reject(new Error('the log is away')) : log.decisions.publish(records)),
  };
  await using gate = await startTrial(log, facts, {
    service: 'site',
    deps: { eventLog: { facts: log.facts, enforcement: log.enforcement, decisions }, unrecordedDecisionsMax: 5 },
  });
  const call = () => gate.get('/read', { 'x-api-key': key });
  for (let count = 0; count < 5; count++) assert.equal((await call()).status, 200);
  const full = await call();
  assert.equal(full.status, 503);
  assert.equal(((await full.json()) as { type: string }).type, 'urn:postern:problem:proxy/recording-full');
  assert.equal(gate.upstream.seen.length, 5);
  away = false;
  await until(() => gate.proxy.notReady().length === 0);
  assert.equal((await call()).status, 200);
  assert.equal((await gate.decisions(6)).length, 6);
});

test('batches are dense per instance, and each fits one entry of the record', async () => {
  await using log = await openEventLog('memory:');
  const many = 700;
  await using gate = await startTrial(log, facts, { service: 'site' });
  const path = `/${'x'.repeat(200)}`;
  for (let count = 0; count < many; count += 50)
    await Promise.all(Array.from({ length: 50 }, () => gate.get(path, { 'x-api-key': key })));
  const batches: DecisionBatch[] = [];
  const over = new AbortController();
  for await (const { records } of log.decisions.follow({}, { signal: over.signal, beatMs: 20 })) {
    for (const { bytes } of records) {
      assert.ok(bytes.byteLength <= 60_000);
      batches.push(DecisionBatch.parse(JSON.parse(Buffer.from(bytes).toString())));
    }
    if (batches.flatMap((batch) => batch.decisions).length >= many) over.abort();
  }
  assert.deepEqual(
    batches.map(({ batch }) => batch),
    batches.map((_batch, index) => index + 1),
  );
  assert.equal(new Set(batches.flatMap((batch) => batch.decisions.map(({ id }) => id))).size, many);
});
