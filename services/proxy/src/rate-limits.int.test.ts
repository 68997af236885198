import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { systemClock } from '@postern/runtime';
import { RateLimit } from '@postern/schemas';
import { granted, joined, keyed, role, routes } from './trial/facts.ts';
import { startTrial, until } from './trial/gate.ts';

const facts = [
  routes(
    'site',
    '/',
    { id: 'site/read', method: 'GET', template: '/read' },
    { id: 'site/other', method: 'GET', template: '/other' },
    { id: 'site/news', method: 'GET', template: '/news', public: true },
    { id: 'site/secret', method: 'GET', template: '/secret' },
  ),
  role('reader', { endpoint: 'site/read' }, { endpoint: 'site/other' }),
  ...['ann', 'bob'].flatMap((name) => [
    joined(`user:${name}`),
    granted(`user:${name}`, 'reader').issued,
    ...['1', '2'].flatMap((each) => [
      keyed(`credential:${name}${each}`, `user:${name}`, `psk_${name}${each}`),
      granted(`credential:${name}${each}`, 'reader').issued,
    ]),
  ]),
];
const limits = (...some: object[]) => ({ rateLimits: some.map((each) => RateLimit.parse(each)) });
const as = (credential: string) => ({ 'x-api-key': `psk_${credential}` });
/** Windows begin where the test says. */
const turned = () => {
  let ms = 1_000_000_000_000;
  const clock = { ...systemClock, elapsed: () => ms + performance.now() };
  return { clock, turn: (by: number) => (ms += by) };
};

test('beyond its limit a principal is refused with 429, told when to come again, and recorded; others are not touched', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: limits({ requests: 3, windowSeconds: 3_600 }),
  });
  const left: (string | null)[] = [];
  for (const credential of ['ann1', 'ann2', 'ann1']) {
    const response = await gate.get('/read', as(credential));
    assert.equal(response.status, 200);
    left.push(response.headers.get('ratelimit'));
    assert.equal(response.headers.get('ratelimit-policy'), '"default";q=3;w=3600');
  }
  assert.deepEqual(
    left.map((each) => /^"default";r=(\d+);t=\d+$/.exec(each ?? '')?.[1]),
    ['2', '1', '0'],
  );
  const refused = await gate.get('/other', as('ann2'));
  assert.equal(refused.status, 429);
  assert.equal(((await refused.json()) as { type: string }).type, 'urn:postern:problem:proxy/rate-limited');
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait > 0 && wait <= 7_200, `${wait}`);
  assert.match(refused.headers.get('ratelimit') ?? '', /^"default";r=0;t=\d+$/);
  assert.equal(gate.upstream.seen.length, 3);
  assert.equal((await gate.get('/read', as('bob1'))).status, 200);
  const records = await gate.decisions(5);
  const record = records.find(({ reason }) => reason === 'rate-limited');
  assert.deepEqual([record?.outcome, record?.refusedWith, record?.principal], ['deny', 429, 'user:ann']);
});

test('whoever may not call an endpoint hears nothing of its limits, however often', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, {
    service: 'site',
    traffic: limits({ requests: 1, windowSeconds: 60 }),
  });
  for (let count = 0; count < 3; count++) {
    const response = await gate.get('/secret', as('ann1'));
    assert.equal(response.status, 403);
    assert.equal(response.headers.get('ratelimit'), null);
    assert.equal(response.headers.get('ratelimit-policy'), null);
  }
  // And it has not counted.
  assert.equal((await gate.get('/read', as('ann1'))).status, 200);
});

test('a count may belong to each credential, to each endpoint, to everyone, or to an address', async () => {
  await using log = await openEventLog('memory:');
  await using gate = await startTrial(log, facts, { service: 'site' });
  const statuses = async (...calls: [string, string?][]): Promise<number[]> => {
    const found: number[] = [];
    for (const [path, credential] of calls)
      found.push((await gate.get(path, credential === undefined ? {} : as(credential))).status);
    return found;
  };
  const configure = (limit: object) =>
    gate.proxy.configureUpstreams({
      site: { upstream: gate.upstream.url, timeoutMs: 5_000, bodyBytesMax: 1_000, ...limits(limit) },
    });
  configure({ requests: 1, windowSeconds: 3_600, per: 'credential' });
  assert.deepEqual(await statuses(['/read', 'ann1'], ['/read', 'ann2'], ['/read', 'ann1']), [200, 200, 429]);
  configure({ requests: 1, windowSeconds: 3_600, by: 'endpoint' });
  assert.deepEqual(await statuses(['/read', 'ann1'], ['/other', 'ann1'], ['/read', 'ann2']), [200, 200, 429]);
  configure({ requests: 1, windowSeconds: 3_600, per: 'everyone', endpoints: ['site/other'] });
  assert.deepEqual(
    await statuses(['/read', 'ann1'], ['/other', 'ann1'], ['/other', 'bob1'], ['/read', 'ann1']),
    [200, 200, 429, 200],
  );
  configure({ requests: 1, windowSeconds: 3_600 });
  assert.deepEqual(await statuses(['/news'], ['/news']), [200, 429]);
  configure({ requests: 1, windowSeconds: 3_600, name: 'other' });
  assert.deepEqual(await statuses(['/news']), [200]);
});

test('counts go on over a reload that changes something else, and the window slides', async () => {
  await using log = await openEventLog('memory:');
  const { clock, turn } = turned();
  const limited = limits({ requests: 2, windowSeconds: 1_000 });
  await using gate = await startTrial(log, facts, {
    service: 'site',
    clock,
    config: { leaseMs: 60_000_000 },
    traffic: limited,
  });
  const call = async () => (await gate.get('/read', as('ann1'))).status;
  // To the beginning of a window.
  turn(1_000_000 - (clock.elapsed() % 1_000_000));
  assert.deepEqual([await call(), await call(), await call()], [200, 200, 429]);
  gate.proxy.configureUpstreams({
    site: { upstream: gate.upstream.url, timeoutMs: 4_000, bodyBytesMax: 1_000, ...limited },
  });
  assert.equal(await call(), 429);
  // Half of the next window later half of the two still count.
  turn(1_500_000);
  assert.deepEqual([await call(), await call()], [200, 429]);
});

test('several gates share a limit among them, as many as live', async () => {
  await using log = await openEventLog('memory:');
  const options = {
    service: 'site',
    config: { leaseMs: 2_000 },
    traffic: limits({ requests: 4, windowSeconds: 3_600 }),
  };
  await using one = await startTrial(log, facts, options);
  const other = await startTrial(log, [], options);
  const passed = async (gate: typeof one, credential: string): Promise<number> => {
    let count = 0;
    while ((await gate.get('/read', as(credential))).status === 200) count++;
    return count;
  };
  const keys = async () =>
    ((await (await one.get('/.well-known/jwks.json')).json()) as { keys: unknown[] }).keys.length;
  await until(async () => (await keys()) === 2);
  // Heard of as serving, not only as starting.
  await until(() => other.proxy.notReady().length === 0);
  await new Promise((resolve) => setTimeout(resolve, 900));
  assert.equal(await passed(one, 'ann1'), 2);
  await other[Symbol.asyncDispose]();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await passed(one, 'bob1'), 4);
});
