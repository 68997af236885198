/** A second party that follows the record: quiet while it grows, an alarm with evidence when it is not what it was. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { postern } from '../world/command.ts';
import { demoWorld } from '../world/embedded.ts';

test('a monitor is quiet while the logs grow and keys are rotated, and ends with 3 where one contradicts what it saw', {
  timeout: 180_000,
}, async () => {
  await using world = await demoWorld();
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await postern(args, { cwd: world.folder, env: { POSTERN_URL: world.gate } });
    return { code, said: stdout + stderr };
  };
  const state = join(world.folder, 'seen.json');
  const look = () => run('audit', 'monitor', '--state', state, '--once');
  const ends = async (ended: Promise<{ code: number | null; said: string }>, code: number, says: RegExp) => {
    const { code: found, said } = await ended;
    assert.equal(found, code, said);
    assert.match(said, says);
  };
  await ends(look(), 0, /facts +has only grown: from (\d+) entries to \1/);
  await run('grant', 'user:dave', 'payroll-reader', '--reason', 'test', '--wait', 'enforced');
  await ends(look(), 0, /facts +has only grown/);

  // Two keys sign from the next start on, and the one that was pinned still verifies.
  await ends(run('audit', 'keys', 'rotate', '--config', 'none.yaml'), 1, /none\.yaml/);
  await writeFile(join(world.folder, 'postern.yaml'), 'listen: 127.0.0.1:1\nservices: {}\n');
  await ends(run('audit', 'keys', 'rotate', '--data', '.postern'), 0, /(postern.*\/facts\+[\s\S]*){2}restart/);
  await world.restart('SIGTERM');
  await ends(look(), 0, /facts +has only grown/);
  await ends(run('audit', 'verify', '--json'), 0, /"outcome": "intact"/);

  // What somebody kept and changed since is told from what the log has signed.
  const seen = await readFile(state, 'utf8');
  await writeFile(state, seen.replace(/\\n\d+\\n/, '\\n99999\\n'));
  await ends(look(), 3, /ALARM: facts refused: the checkpoint that was kept: the signature/);
  await writeFile(state, seen);

  // Everything but the key is made anew, as by an operator with something to hide: each record is consistent, and signed.
  const key = await readFile(join(world.folder, '.postern/audit.key'), 'utf8');
  world.running().process.kill('SIGKILL');
  await world.running().ended;
  await rm(join(world.folder, '.postern'), { recursive: true });
  await mkdir(join(world.folder, '.postern'), { mode: 0o700 });
  await writeFile(join(world.folder, '.postern/audit.key'), key, { mode: 0o600 });
  await world.restart('SIGKILL');
  await ends(run('audit', 'verify'), 0, /facts +intact/);
  await ends(look(), 3, /ALARM: facts (fork|rolled-back): [\s\S]*seen before[\s\S]*seen now/);
  assert.equal(await readFile(state, 'utf8'), seen, 'what was seen is kept as evidence');
});
