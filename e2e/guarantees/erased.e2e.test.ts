/** After an erasure no file of the installation holds what was erased; by the command line, as whoever is asked to do it would. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { postern } from '../world/command.ts';
import { demoWorld } from '../world/embedded.ts';

const [story, name, ticket] = ['Perdita covers for Ulysses', 'Perdita Quillfeather', 'HR-GDPR-4711'];

test('what was erased is in no file of the installation, and the record verifies, replays and exports as before', {
  timeout: 240_000,
}, async () => {
  await using world = await demoWorld();
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await postern(args, { cwd: world.folder, env: { POSTERN_URL: world.gate } });
    return { code, stdout, said: stdout + stderr };
  };
  const ok = async (...args: string[]): Promise<string> => {
    const { code, said, stdout } = await run(...args);
    assert.equal(code, 0, `postern ${args.join(' ')}: ${said}`);
    return stdout;
  };
  const send = async (path: string, body: object, type: string): Promise<void> => {
    const response = await fetch(`${world.gate}/.postern${path}`, {
      method: 'POST',
      headers: { 'x-api-key': world.key, 'content-type': type },
      body: JSON.stringify(body),
    });
    assert.ok(response.status < 300, `${path}: ${response.status} ${await response.text()}`);
  };
  const holding = async (text: string): Promise<string[]> => {
    const found: string[] = [];
    for (const file of await readdir(join(world.folder, '.postern'), { recursive: true, withFileTypes: true }))
      if (file.isFile() && (await readFile(join(file.parentPath, file.name))).includes(text)) found.push(file.name);
    return found;
  };
  const event = (id: string, type: string, data: object) =>
    send(
      '/events?wait=enforced',
      { specversion: '1.0', id, source: '/hr', type, subject: 'user:perdita', data },
      'application/cloudevents+json',
    );

  await send(
    '/scim/v2/Users',
    {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      externalId: 'perdita',
      userName: 'perdita',
      displayName: name,
      active: true,
    },
    'application/scim+json',
  );
  await ok('grant', 'user:perdita', 'payroll-reader', '--reason', story, '--ticket', ticket, '--wait', 'enforced');
  await event('p-left', 'postern.person.left.v1', { reason: `${story} no more` });
  const shown = await ok('privacy', 'show', 'user:perdita');
  assert.ok(shown.includes(story) && shown.includes(name) && shown.includes(ticket), shown);
  assert.ok((await ok('facts', '--subject', 'user:perdita')).includes(story));
  assert.deepEqual(
    new Set((await holding(story)).map((file) => file.replace(/-(wal|shm)$/, ''))),
    new Set(['profiles.sqlite']),
    'it is in the erasable store, and nowhere else',
  );
  const before = await ok('audit', 'replay', '--rebuild', '--json');

  const hold = (await ok('hold', 'place', '--subject', 'user:perdita', '--reason', 'a claim')).trim();
  const refused = await run('privacy', 'erase', 'user:perdita', '--reason', 'asked for');
  assert.equal(refused.code, 1, refused.said);
  assert.match(refused.said, new RegExp(hold));
  assert.match(await ok('hold', 'list'), new RegExp(`${hold}.*user:perdita`));
  await ok('hold', 'lift', hold, '--reason', 'settled');
  assert.match(
    await ok('privacy', 'erase', 'user:perdita', '--reason', 'asked for', '--ticket', 'DSR-1'),
    /user:perdita is erased, by fact \d+: [3-9] texts, and the profile/,
  );

  for (const text of [story, name, ticket]) assert.deepEqual(await holding(text), [], text);
  assert.match(await ok('facts', '--subject', 'user:perdita'), /\[erased\]/);
  assert.match(await ok('privacy', 'show', 'user:perdita'), /erased +by fact \d+/);
  assert.match(await ok('audit', 'question', '22', '--subject', 'user:perdita'), /postern\.subject\.erased/);
  assert.match(await ok('audit', 'verify'), /facts +intact[\s\S]*decisions +intact/);
  await ok('audit', 'export', '--facts', '--subject', 'user:perdita', '--out', 'evidence.zip');
  await ok('audit', 'verify', '--bundle', 'evidence.zip');
  await ok('audit', 'copy', 'copied');
  await ok('audit', 'verify', '--files', 'copied');

  // The log says the same, over and over: rebuilt it gives the relationships it gave, and a restart brings nothing back.
  await world.restart('SIGKILL');
  const rebuilt = JSON.parse(await ok('audit', 'replay', '--rebuild', '--json'));
  assert.equal(rebuilt.same, true);
  assert.equal(rebuilt.asLive, true);
  assert.equal(rebuilt.live.sha256, JSON.parse(before).live.sha256);
  for (const text of [story, name, ticket]) assert.deepEqual(await holding(text), [], text);
});
