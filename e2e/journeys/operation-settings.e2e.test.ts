/** What the gate reads of operations beside the routes changes in a running process, between two requests. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startOperationApis } from '../world/operation-apis.ts';
import { freeAddresses, posternProcess } from '../world/processes.ts';
import { eventually } from './expectations.ts';

test('a persisted document and a depth count as soon as the configuration that names them is taken in', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-settings-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const apis = stack.use(await startOperationApis());
  const { staff } = apis.services as { staff: { graphql: object } };
  const document = '{ motd }';
  const digest = createHash('sha256').update(document).digest('hex');
  const [listen = '', health = ''] = await freeAddresses(2);
  const config = (depthMax: number) => ({
    listen,
    health,
    data: './data',
    log: { level: 'warn' },
    services: { staff: { ...staff, graphql: { ...staff.graphql, persisted: './persisted.json', depthMax } } },
    model: { roles: './roles.yaml' },
  });
  const process = stack.use(await posternProcess({ folder, args: ['up'], config: config(1) }));
  await writeFile(join(folder, 'persisted.json'), '{}');
  await writeFile(join(folder, 'roles.yaml'), 'staff-reader: { allows: [{ service: staff, access: read }] }\n');
  await process.start();
  const admin = (await readFile(join(folder, 'data/admin.key'), 'utf8')).trim();
  const send = async (path: string, body: object, key = admin) => {
    const answer = await fetch(`http://${listen}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const event = { specversion: '1.0', id: '1', source: '/t', type: 'postern.person.joined.v1', subject: 'user:ann' };
  const joined = await fetch(`http://${listen}/.postern/events?wait=enforced`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'x-api-key': admin },
    body: JSON.stringify({ ...event, data: {} }),
  });
  assert.equal(joined.status, 202, await joined.text());
  const made = await send('/.postern/keys?wait=enforced', {
    owner: 'user:ann',
    roles: ['staff-reader'],
    reason: 'a test',
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const granted = await send('/.postern/grants?wait=enforced', {
    subject: 'user:ann',
    role: 'staff-reader',
    reason: 'a test',
  });
  assert.equal(granted.status, 201, JSON.stringify(granted.body));
  const key = String(made.body['key']);
  const status = async (body: object) => (await send('/staff/graphql', body, key)).status;
  const persisted = { extensions: { persistedQuery: { version: 1, sha256Hash: digest } } };
  const deep = { query: '{ __type(name: "Query") { name } }' };
  assert.deepEqual([await status({ query: document }), await status(persisted), await status(deep)], [200, 400, 400]);

  await writeFile(join(folder, 'persisted.json'), JSON.stringify({ [digest]: document }));
  await writeFile(join(folder, 'postern.yaml'), JSON.stringify(config(2)));
  process.signal('SIGHUP');
  await eventually('the new settings', async () => ((await status(persisted)) === 200 ? true : undefined));
  await eventually('the new depth', async () => ((await status(deep)) === 200 ? true : undefined));

  // A file that is wrong changes nothing.
  await writeFile(join(folder, 'persisted.json'), JSON.stringify({ getMotd: document }));
  process.signal('SIGHUP');
  await eventually('the mistake in the log', () => (/cannot be used/.test(process.output()) ? true : undefined));
  assert.deepEqual([await status(persisted), await status(deep)], [200, 200]);
});
