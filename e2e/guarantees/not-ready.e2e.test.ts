/** While Postern starts, /readyz names what is missing, and the gate lets nothing through: not even what was allowed before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownWorld } from '../world/own-api.ts';
import { event, send, things } from '../world/things.ts';

type Readiness = { readonly status: string; readonly notReady: readonly { service: string; what: string }[] };

test('/readyz names what is missing until everything is there, and the gate refuses meanwhile', async (context) => {
  await using world = await ownWorld(things());
  await world.start();
  await send(world, event('rita', 'person.joined', 'user:rita', { department: 'reading' }), '?wait=enforced');
  const token = await world.issuer.token('rita');
  await world.stop('SIGTERM');

  const started = world.start();
  const missing = new Set<string>();
  const early = new Set<number>();
  const reachedBefore = world.api.reached.length;
  for (let ready = false; !ready; ) {
    // Asked in this order: what the gate answers now was not yet ready a moment before, or is ready now.
    const passed = world.api.reached.length;
    const readiness = await fetch(`${world.health}/readyz`)
      .then(async (response) => ({ status: response.status, body: (await response.json()) as Readiness }))
      .catch(() => undefined);
    if (readiness?.status === 200) ready = true;
    for (const { service, what } of readiness?.body.notReady ?? []) {
      assert.ok(what.length > 5, `${service} says what it lacks`);
      missing.add(service);
    }
    if (!ready && missing.size > 0 && readiness?.body.notReady.some(({ service }) => service === 'proxy'))
      assert.equal(passed, reachedBefore, 'nothing reached the API before the proxy was ready');
    const status = await fetch(`${world.gate}/things/list`, { headers: { authorization: `Bearer ${token}` } })
      .then((response) => response.status)
      .catch(() => 0);
    if (status !== 0) early.add(status);
    await sleep(2);
  }
  await started;
  assert.ok(
    missing.has('proxy') && missing.has('authorizer') && missing.has('grants') && missing.has('audit'),
    [...missing].join(', '),
  );
  assert.deepEqual(
    [...early].filter((status) => ![200, 503].includes(status)),
    [],
    'refused as "not now", or let through',
  );
  const allowed = await fetch(`${world.gate}/things/list`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(allowed.status, 200);
  context.diagnostic(
    `named as not ready: ${[...missing].join(', ')}; statuses while starting: ${[...early].join(', ') || 'none'}`,
  );
});
