/** A full disk: nothing is written by halves, nothing passes that could not be taken back, and freed space is enough to go on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { postern } from '../world/command.ts';
import { ownWorld } from '../world/own-api.ts';
import { event, send, things } from '../world/things.ts';

const sizeKb = 4_096;

/** A small file system of its own; undefined where this user may not mount one. */
const smallDisk = async () => {
  const path = await mkdtemp(join(tmpdir(), 'postern-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'postern-test', path]);
  if (mounted.status !== 0) {
    await rm(path, { recursive: true });
    return undefined;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      spawnSync('umount', [path]);
      await rm(path, { recursive: true, force: true });
    },
  };
};

test('a full disk refuses changes with 507, writes nothing by halves, and goes on when there is space again', async (context) => {
  await using disk = await smallDisk();
  if (disk === undefined) return context.skip('this user may not mount a file system to fill');
  await using world = await ownWorld(things({ data: disk.path, leaseMs: 20_000 }));
  await world.start();
  // `key` reads it in the usual place.
  spawnSync('ln', ['-s', disk.path, join(world.folder, 'state')]);
  await send(world, event('rita', 'person.joined', 'user:rita', { department: 'reading' }), '?wait=enforced');

  const { bavail, bsize } = await statfs(disk.path);
  const filler = join(disk.path, 'filler');
  await writeFile(filler, Buffer.alloc(bavail * bsize - 400 * 1024));

  const acknowledged: string[] = [];
  let refusal: Awaited<ReturnType<typeof send>> | undefined;
  for (let n = 0; n < 500 && refusal === undefined; n++) {
    const answer = await send(
      world,
      event(`e${n}`, 'person.joined', `user:p${n}`, { department: 'x'.repeat(200), reason: 'y'.repeat(1_500) }),
    );
    if (answer.status === 202) acknowledged.push(`user:p${n}`);
    else refusal = answer;
  }
  assert.equal(refusal?.status, 507, JSON.stringify(refusal));
  // Whichever file comes to its end first: the log's, or that of the texts beside it.
  assert.match(String(refusal.body['type']), /^urn:postern:problem:(?:event-log|grants)\/disk-full$/);
  assert.match(String(refusal.body['fix']), /Free space/);
  const token = await world.issuer.token('rita');
  const read = () => fetch(`${world.gate}/things/list`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await read()).status, 200, 'within the lease what was decided still holds');
  const after = async (path: string) =>
    fetch(`${world.gate}/.postern${path}`, { headers: { 'x-api-key': await world.key() } });
  assert.equal((await after(`/principals/user:p${acknowledged.length}`)).status, 404, 'what was refused is not there');

  await rm(filler);
  const again = event('after', 'person.joined', 'user:later', {});
  const deadline = performance.now() + 60_000;
  let last = await send(world, again);
  while (last.status !== 202 && performance.now() < deadline) {
    await sleep(200);
    last = await send(world, again);
  }
  assert.equal(last.status, 202, JSON.stringify(last));
  for (const principal of [...acknowledged, 'user:later'])
    assert.equal((await after(`/principals/${principal}`)).status, 200, principal);
  assert.equal((await read()).status, 200);

  // The record catches up with the log, and is what was signed.
  const head = Number(last.body['sequence']);
  let size = 0;
  while (size < head && performance.now() < deadline) {
    ({ size } = (await (await after('/audit/facts?limit=1')).json()) as { size: number });
    await sleep(100);
  }
  assert.ok(size >= head, `the record has ${size} of ${head}`);
  const verified = await postern(['audit', 'verify', '--gate', world.gate, '--key', await world.key()], {
    cwd: world.folder,
  });
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  assert.equal(await world.stop('SIGTERM'), 0);
  await world.start();
  for (const principal of acknowledged.slice(-3))
    assert.equal((await after(`/principals/${principal}`)).status, 200, `${principal} after a restart`);
  context.diagnostic(`${acknowledged.length} acknowledged before the disk was full`);
});
