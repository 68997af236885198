/** A first start that is killed, wherever it has got to, leaves an organisation that somebody can still administer. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEventLog } from '@postern/event-log/open';
import { freeBasePort, posternMain, startPostern } from '../world/embedded.ts';

/** How long after the administrator's key was kept the process is killed, in ms: around the facts that make the key live, and the sample organisation. */
const delaysMs = [0, 4, 10, 20, 60];

test('a first start that is killed goes on where it ended: one administrator, one key, and it opens the gate', async (context) => {
  const heads: number[] = [];
  for (const delay of delaysMs) {
    const cwd = await mkdtemp(join(tmpdir(), 'postern-first-'));
    const basePort = await freeBasePort();
    const args = ['up', '--demo', '--base-port', String(basePort)];
    const data = join(cwd, '.postern');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', posternMain, ...args], { cwd });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    while (!existsSync(join(data, 'admin.key')) && child.exitCode === null) await sleep(1);
    await sleep(delay);
    child.kill('SIGKILL');
    await ended;
    const kept = (await readFile(join(data, 'admin.key'), 'utf8')).trim();
    {
      await using log = await openEventLog(`file:${data}`);
      heads.push(await log.facts.head());
    }

    const running = await startPostern(args, { cwd });
    const key = (await readFile(join(data, 'admin.key'), 'utf8')).trim();
    assert.equal(key, kept, 'the key that was kept is the one that counts');
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${basePort}/.postern${path}`, { headers: { 'x-api-key': key } });
      assert.equal(response.status, 200, `${path}\n${running.output()}`);
      return (await response.json()) as { items: { owner?: string; subject?: string; role?: string }[] };
    };
    assert.deepEqual(
      (await get('/keys')).items.map(({ owner }) => owner),
      ['user:admin'],
    );
    const grants = (await get('/grants')).items;
    assert.deepEqual(
      grants.filter(({ subject }) => subject === 'user:admin').map(({ role }) => role),
      ['postern-admin'],
    );
    assert.equal(
      grants.filter(({ subject }) => subject === 'group:people-team#member').length,
      1,
      'the sample organisation',
    );
    running.process.kill('SIGTERM');
    assert.equal(await running.ended, 0);
    await rm(cwd, { recursive: true });
  }
  context.diagnostic(`killed at the heads ${heads.join(', ')}`);
});
