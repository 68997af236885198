/** The tutorial, its files and lines as they stand there, against a started gate whose people have called. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { postern } from '../world/command.ts';
import { posternMain, root } from '../world/embedded.ts';
import { ownWorld } from '../world/own-api.ts';
import { event, send } from '../world/things.ts';

const payroll = `openapi: 3.1.0
paths:
  /employees:
    get: { operationId: listEmployees }
  /employees/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getEmployee }
`;

/** The fenced blocks before the pipelines, in their order. */
const blocks = async (): Promise<{ readonly kind: string; readonly text: string }[]> => {
  const page = await readFile(join(root, 'docs/tutorial/permissions-as-code.md'), 'utf8');
  const [lines = ''] = page.split('## In a pipeline');
  return [...lines.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, kind = '', text = '']) => ({ kind, text }));
};

test('the tutorial tells the truth, file by file and line by line', async () => {
  const told = await blocks();
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['yaml', 'yaml', 'yaml', 'bash', 'bash'],
  );
  const [model, roles, narrowed, preview, publish] = told.map(({ text }) => text);
  await using world = await ownWorld({
    files: { 'payroll.yaml': payroll, 'roles.yaml': roles ?? '' },
    services: { payroll: { mount: '/payroll', openapi: './payroll.yaml' } },
    config: parse(model ?? ''),
  });
  await world.start();
  const bin = join(world.folder, 'postern');
  const main = `"${process.execPath}" --disable-warning=ExperimentalWarning "${posternMain}"`;
  await writeFile(bin, `#!/bin/sh\nexec ${main} "$@"\n`);
  await chmod(bin, 0o755);
  const POSTERN_KEY = await world.key();
  const run = (lines: string | undefined): string => {
    const { stdout, stderr } = spawnSync('bash', ['-c', lines ?? 'exit 1'], {
      cwd: world.folder,
      env: { ...process.env, PATH: `${world.folder}:${process.env['PATH']}`, POSTERN_URL: world.gate, POSTERN_KEY },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return `${stdout}${stderr}`;
  };
  // What is said to have happened before: the files are live, and finance has called.
  const checked = await postern(['check'], { cwd: world.folder });
  assert.equal(checked.code, 0, checked.stdout);
  assert.match(run(publish), /nothing to publish/, 'an empty gate has published them at its first start');
  assert.equal(
    (await send(world, event('join-alice', 'person.joined', 'user:alice', { department: 'finance' }), '?wait=enforced'))
      .status,
    202,
  );
  const call = async (path: string) =>
    (
      await fetch(`${world.gate}/payroll${path}`, {
        headers: { authorization: `Bearer ${await world.issuer.token('alice')}` },
      })
    ).status;
  for (const path of ['/employees', '/employees', '/employees/42']) assert.equal(await call(path), 200);

  // 3: the narrowed role names whoever listed, how often, and the line; it ends with 2.
  await writeFile(join(world.folder, 'roles.yaml'), narrowed ?? '');
  let previewed = run(preview);
  while (!/exit \d+/.test(previewed) || !/listEmployees.*\b2\b|\b2\b.*listEmployees/s.test(previewed))
    previewed = run(preview);
  assert.match(previewed, /user:alice/);
  assert.match(previewed, /payroll\/listEmployees/);
  assert.match(previewed, /roles\.yaml:1/);
  assert.match(previewed, /exit 2/);

  // 4: published, the gate refuses it; nothing else has changed.
  assert.match(run(publish), /published \d+ facts .*enforced by the proxy\n.*payroll-reader/s);
  assert.equal(await call('/employees'), 403);
  assert.equal(await call('/employees/42'), 200);
  assert.match(run(publish), /nothing to publish/);
});
