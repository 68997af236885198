/**
 * Somebody else's API, as it is: GitHub's REST description imported whole, a role "reads repositories, writes issues" made from it,
 * people by events, and every one of its operations called through the gate.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Endpoint, endpointsFromOpenApi } from '@postern/schemas';
import { stringify } from 'yaml';
import { postern } from '../world/command.ts';
import { root } from '../world/embedded.ts';
import { type OwnWorld, ownWorld } from '../world/own-api.ts';
import { event, send } from '../world/things.ts';

const document = readFileSync(join(root, 'schemas/fixtures/github-openapi.json'), 'utf8');
const { endpoints } = endpointsFromOpenApi('github', JSON.parse(document));
const wanted = endpoints.filter(
  ({ id, access }) =>
    (id.startsWith('github/repos/') && access === 'read') || (id.startsWith('github/issues/') && access === 'write'),
);
const roles = {
  'repo-reader-issue-writer': {
    description: 'Reads repositories, writes issues, and nothing else',
    allows: wanted.map(({ id }) => ({ endpoint: id })),
    birthright: { department: 'support' },
  },
};

/** A path that the template matches: a placeholder that takes the rest of the path gets several segments. */
const filled = (template: string): string =>
  template.replaceAll(/\{[^}]*\+\}/g, 'a1/b2/c3').replaceAll(/\{[^}]*\}/g, 'x7');

describe("GitHub's API behind the gate", () => {
  let world: OwnWorld;
  before(async () => {
    world = await ownWorld({
      files: { 'github.json': document, 'roles.yaml': stringify(roles) },
      services: { github: { mount: '/github', openapi: './github.json' } },
    });
  });
  after(() => world[Symbol.asyncDispose]());

  const call = async (endpoint: Endpoint, subject: string) => {
    const token = await world.issuer.token(subject);
    const path = `${filled(endpoint.template)}?q=a%20b+c&empty=&q=2`;
    const body = endpoint.method === 'GET' ? undefined : randomBytes(64);
    const before = world.api.reached.length;
    const response = await fetch(`${world.gate}/github${path}`, {
      method: endpoint.method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/octet-stream' }) },
      ...(body && { body }),
    });
    await response.arrayBuffer();
    return { status: response.status, path, body, reached: world.api.reached.slice(before) };
  };

  test('postern check finds no mistake in it', async (context) => {
    const begun = performance.now();
    const { code, stdout, stderr } = await postern(['check'], { cwd: world.folder });
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`1 service, ${endpoints.length} endpoints, 1 role, \\d+ definitions\n`));
    assert.match(stdout, /\n0 errors, \d+ warnings?$/m);
    assert.match(stdout, /^github\.json:\d+: +note: .*takes one segment only$/m);
    context.diagnostic(`checked in ${Math.round(performance.now() - begun)} ms, process start included`);
  });

  test('it is imported whole, and every operation is in the graph', async (context) => {
    const begun = performance.now();
    await world.start();
    context.diagnostic(`ready with ${endpoints.length} operations after ${Math.round(performance.now() - begun)} ms`);
    const answer = await send(
      world,
      event('1', 'person.joined', 'user:sue', { department: 'support' }),
      '?wait=enforced',
    );
    assert.equal(answer.status, 202);
    const joined = await send(
      world,
      event('2', 'person.joined', 'user:oda', { department: 'sales' }),
      '?wait=enforced',
    );
    assert.equal(joined.status, 202);
    const what = await postern(['what', 'user:sue', '--json', '--gate', world.gate, '--data', 'state'], {
      cwd: world.folder,
    });
    const { endpoints: may } = JSON.parse(what.stdout) as { endpoints: { endpoint: string }[] };
    assert.deepEqual(may.map(({ endpoint }) => endpoint).sort(), wanted.map(({ id }) => id as string).sort());
  });

  test('what the role allows reaches the API byte for byte, and nothing else does', async (context) => {
    const allowedIds = new Set(wanted.map(({ id }) => id));
    let allowed = 0;
    let refused = 0;
    for (const endpoint of endpoints) {
      const { status, path, body, reached } = await call(endpoint, 'sue');
      if (!allowedIds.has(endpoint.id)) {
        assert.equal(status, 403, `${endpoint.method} ${path} (${endpoint.id})`);
        assert.deepEqual(reached, [], `${endpoint.id} does not reach the API`);
        refused++;
        continue;
      }
      assert.equal(status, 200, `${endpoint.method} ${path} (${endpoint.id})`);
      const [request] = reached;
      assert.equal(reached.length, 1, `${endpoint.id} reaches the API once`);
      assert.equal(request?.method, endpoint.method);
      assert.equal(request.url, path);
      assert.deepEqual(request.body, body ?? Buffer.alloc(0), `${endpoint.id}: the body`);
      assert.ok(request.headers['postern-assertion'], 'with the gate’s word for who calls');
      allowed++;
    }
    context.diagnostic(`${endpoints.length} operations called: ${allowed} allowed, ${refused} refused`);
    assert.deepEqual([allowed, refused], [wanted.length, endpoints.length - wanted.length]);
    assert.ok(allowed > 100 && refused > 1_000);
  });

  test('whoever holds no role reaches none of it, and neither does a path that the document does not know', async () => {
    const before = world.api.reached.length;
    for (const endpoint of endpoints.filter((_, index) => index % 10 === 0))
      assert.equal((await call(endpoint, 'oda')).status, 403, endpoint.id);
    const authorization = `Bearer ${await world.issuer.token('sue')}`;
    for (const path of ['/github/repos/x7/x7/nothing', '/github/no-such', '/', '/repos/x7/x7'])
      assert.equal((await fetch(world.gate + path, { headers: { authorization } })).status, 403, path);
    assert.equal(world.api.reached.length, before);
  });

  test('a move to another department takes it away at once', async () => {
    const [first] = wanted;
    assert.ok(first);
    assert.equal((await call(first, 'sue')).status, 200);
    const moved = await send(world, event('3', 'person.moved', 'user:sue', { department: 'sales' }), '?wait=enforced');
    assert.equal(moved.body['enforced'], true);
    const { status, reached } = await call(first, 'sue');
    assert.deepEqual([status, reached], [403, []]);
  });
});
