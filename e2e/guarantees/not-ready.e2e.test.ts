/** While Postern starts, /readyz names what is missing, and the gate lets nothing through: not even what was allowed before. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { posternMain } from '../world/embedded.ts';
import { ownWorld } from '../world/own-api.ts';
import { event, send, things } from '../world/things.ts';

type Readiness = { readonly status: string; readonly notReady: readonly { service: string; what: string }[] };

test('until everything is there /readyz says no and why, and the gate lets nothing through', async (context) => {
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

test('while the relationship engine is away /readyz names it, and the gate refuses what it allowed before', async () => {
  await using world = await ownWorld(things());
  await world.start();
  await send(world, event('rita', 'person.joined', 'user:rita', { department: 'reading' }), '?wait=enforced');
  const authorization = `Bearer ${await world.issuer.token('rita')}`;
  const call = () => fetch(`${world.gate}/things/list`, { headers: { authorization } }).catch(() => undefined);
  assert.equal((await call())?.status, 200);
  await world.stop('SIGTERM');
  await writeFile(join(world.folder, 'token'), 'secret\n');
  await appendFile(join(world.folder, 'postern.yaml'), 'relationships: spicedb://127.0.0.1:9?tokenFile=./token\n');

  const before = world.api.reached.length;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', posternMain, 'up'], {
    cwd: world.folder,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  try {
    let readiness: Readiness | undefined;
    let answered: Response | undefined;
    while (child.exitCode === null) {
      readiness = await fetch(`${world.health}/readyz`)
        .then(async (response) => {
          assert.equal(response.status, 503, 'never ready');
          return (await response.json()) as Readiness;
        })
        .catch((error) => {
          if (error instanceof assert.AssertionError) throw error;
          return undefined;
        });
      answered = await call();
      if (answered !== undefined) assert.equal(answered.status, 503, output);
      const problem = (await answered?.json()) as { type: string } | undefined;
      const named = readiness?.notReady.map(({ service }) => service).join(', ');
      // All else is there: what is named is the engine alone, and the gate cannot decide without it.
      if (named === 'authorizer' && problem?.type === 'urn:postern:problem:proxy/cannot-decide') break;
      await sleep(20);
    }
    assert.equal(child.exitCode, null, `it goes on trying\n${output}`);
    assert.match(readiness?.notReady[0]?.what ?? '', /The relationship engine does not answer/);
    assert.equal(world.api.reached.length, before, 'nothing reaches the API');
    assert.doesNotMatch(output, /^ready/m);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});
