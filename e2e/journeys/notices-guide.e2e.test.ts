/** The guide to notices, its files and lines as they stand there: the receiver prints what happens, and what is replayed once. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { posternMain, root } from '../world/embedded.ts';
import { ownWorld } from '../world/own-api.ts';
import { change, things } from '../world/things.ts';
import { eventually } from './expectations.ts';

const guide = readFileSync(join(root, 'docs/how-to/notices.md'), 'utf8');
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(guide)?.[1] ?? '';

test('the guide to notices: its receiver takes what its configuration sends', async () => {
  await using world = await ownWorld(things());
  const { folder } = world;
  const [makeSecret = '', , ...steps] = block('bash').trim().split('\n');
  assert.equal(steps.length, 3);
  writeFileSync(join(folder, 'receiver.mjs'), block('js'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  assert.equal(spawnSync('bash', ['-c', makeSecret], { cwd: folder }).status, 0);
  await world.start();
  const file = join(folder, 'postern.yaml');
  writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), ...parse(block('yaml')) }));
  const receiver = spawn(process.execPath, ['receiver.mjs'], { cwd: folder });
  let printed = '';
  receiver.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  try {
    const event = (id: string, type: string) => ({
      specversion: '1.0',
      id,
      source: '/hr',
      type: `postern.person.${type}.v1`,
      subject: 'user:ann',
      data: {},
    });
    const key = await world.key();
    const listed = async (): Promise<string> =>
      (await fetch(`${world.gate}/.postern/notices`, { headers: { 'x-api-key': key } })).text();
    await eventually('the configuration is taken in', async () => (await listed()).includes('"holder"') || undefined);
    const cloudEvent = { contentType: 'application/cloudevents+json' };
    await change(world, '/events', event('1', 'joined'), cloudEvent);
    await change(world, '/events', event('2', 'left'), cloudEvent);
    await eventually('the leaving is told', () => printed.includes('postern.principal.left.v1 user:ann') || undefined);
    for (const step of steps) {
      const [line = '', expected = ''] = step.split(/ +# → /);
      const [, ...args] = line.trim().split(' ');
      const { stdout, stderr } = spawnSync(process.execPath, [posternMain, ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, POSTERN_URL: world.gate, POSTERN_KEY: key },
      });
      assert.ok(stdout.includes(expected) && stdout !== '', `${line}: ${stdout}${stderr}`);
    }
    await eventually('the test notice came', () => printed.includes('postern.notice.tested.v1') || undefined);
    await eventually('it was replayed', async () => (await listed()).includes('"delivered":2') || undefined);
    assert.equal(printed.split('postern.principal.left.v1').length, 2, 'by its webhook-id it is known');
  } finally {
    receiver.kill('SIGKILL');
  }
});
