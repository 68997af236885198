/** Decisions that the policy no longer keeps are pruned; whoever watches the record sees it grow all the same. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { postern } from '../world/command.ts';
import { ownWorld } from '../world/own-api.ts';
import { event, send, things } from '../world/things.ts';

test('decisions are pruned by the policy but for what a hold keeps, and monitor, verify, copy and export go on', {
  timeout: 300_000,
}, async () => {
  const model = things();
  await using world = await ownWorld({ ...model, config: { audit: { retention: { decisions: '2s' } } } });
  await world.start();
  const key = await world.key();
  const run = async (...args: string[]) => {
    const env = { POSTERN_URL: world.gate, POSTERN_KEY: key };
    const { code, stdout, stderr } = await postern(args, { cwd: world.folder, env });
    return { code, stdout, said: stdout + stderr };
  };
  const ok = async (...args: string[]): Promise<string> => {
    const { code, said } = await run(...args);
    assert.equal(code, 0, `postern ${args.join(' ')}: ${said}`);
    return said;
  };
  const published = async () =>
    (await fetch(`${world.gate}/.postern/audit/retention`, { headers: { 'x-api-key': key } })).json() as Promise<{
      logs: { decisions: { entries: number; prunedBefore: number } };
      pruned: { before: number };
    }>;

  await send(world, event('rita', 'person.joined', 'user:rita', { department: 'reading' }), '?wait=enforced');
  const token = await world.issuer.token('rita');
  // Decisions that come together are one entry: these come one by one.
  const calls = async (entries: number): Promise<void> => {
    while ((await published()).logs.decisions.entries < entries)
      for (let at = 0; at < 20; at++) {
        await (await fetch(`${world.gate}/things/list`, { headers: { authorization: `Bearer ${token}` } })).text();
        await sleep(25);
      }
  };
  await calls(20);
  const seen = join(world.folder, 'seen.json');
  await ok('audit', 'monitor', '--state', seen, '--once');
  await calls(300);
  assert.match(await ok('audit', 'retention'), /decisions +kept 2s, as fact \d+ said on/);
  await sleep(2_500);

  const hold = (await run('hold', 'place', '--subject', 'user:rita', '--reason', 'a claim')).stdout.trim();
  const kept = await run('audit', 'prune');
  assert.equal(kept.code, 1, kept.said);
  assert.match(kept.said, new RegExp(`${hold}[\\s\\S]*audit/held`));
  await ok('hold', 'lift', hold, '--reason', 'settled');
  assert.match(await ok('audit', 'prune', '--dry-run'), /would prune entries 0 to 255/);
  assert.equal((await published()).logs.decisions.prunedBefore, 0);
  assert.match(await ok('audit', 'prune'), /pruned entries 0 to 255/);
  const { logs, pruned } = await published();
  assert.deepEqual([logs.decisions.prunedBefore, pruned.before], [256, 256]);

  // Everything that looks at the record says so plainly, and nothing fails on it.
  assert.match(await ok('audit', 'decisions', '--limit', '5'), /decisions are pruned before entry 256/);
  assert.match(await ok('audit', 'verify'), /decisions +intact: \d+ entries, pruned before 256 as a signed fact says/);
  assert.match(
    await ok('audit', 'monitor', '--state', seen, '--once'),
    /decisions +has only grown: from \d\d? entries/,
  );
  await ok('audit', 'copy', 'copied');
  assert.match(await ok('audit', 'verify', '--files', 'copied'), /decisions +intact: \d+ entries, pruned before 256/);
  assert.match(await ok('audit', 'question', '21'), /256/);
  await ok('audit', 'question', '19');
  await ok('audit', 'replay', '--verify');
  await ok('audit', 'export', '--decisions', '--out', 'evidence.zip');
  await ok('audit', 'verify', '--bundle', 'evidence.zip');

  // A restart judges the record and goes on signing.
  await world.stop('SIGKILL');
  await world.start();
  assert.match(await ok('audit', 'verify'), /decisions +intact/);
});
