/**
 * An API that was there before the gate: observed while people use it, roles proposed from that use, applied as a diff, published,
 * granted, enforced. Whoever worked before works on, and whoever was said to be refused is.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { postern } from '../world/command.ts';
import { type OwnWorld, ownWorld } from '../world/own-api.ts';
import { change, event, send } from '../world/things.ts';

const openapi = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'payroll', version: '1' },
  paths: {
    '/employees': { get: { operationId: 'listEmployees' } },
    '/employees/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: {
        operationId: 'getEmployee',
        'x-postern': { object: { type: 'employee', parameter: 'id', permission: 'view' } },
      },
    },
    '/runs': { post: { operationId: 'startRun' } },
    '/exports': { get: { operationId: 'exportAll', 'x-postern': { scopes: ['payroll.export'] } } },
    '/audit': { get: { operationId: 'readAudit' } },
  },
});
const roles = `# Roles of the payroll service.
auditor:
  allows:
    - { endpoint: payroll/readAudit }
`;
type Call = { readonly who: string; readonly path: string; readonly method?: string; readonly claims?: object };
/** Everybody's ordinary day. */
const day: readonly Call[] = [
  ...['f1', 'f2', 'f3'].flatMap((who) => [
    { who, path: '/employees' },
    { who, path: '/employees/42' },
  ]),
  { who: 'boss', path: '/employees/7' },
  ...['p1', 'p2'].map((who) => ({ who, path: '/runs', method: 'POST' })),
  { who: 'x1', path: '/audit' },
  { who: 'f1', path: '/exports', claims: { scope: 'payroll.export other' } },
];
/** What no role answers. */
const unscoped: Call = { who: 'f2', path: '/exports', claims: { scope: 'other' } };

describe('from observing to enforcing', () => {
  let world: OwnWorld;
  const run = async (...args: readonly string[]) =>
    postern(args, {
      cwd: world.folder,
      env: { POSTERN_URL: world.gate, POSTERN_KEY: await world.key() },
      timeoutMs: 60_000,
    });
  const call = async ({ who, path, method = 'GET', claims = {} }: Call): Promise<number> => {
    const authorization = `Bearer ${await world.issuer.token(who, { claims: { ...claims } })}`;
    const response = await fetch(`${world.gate}/payroll${path}`, { method, headers: { authorization } });
    await response.arrayBuffer();
    return response.status;
  };

  before(async () => {
    world = await ownWorld({
      files: { 'payroll.json': openapi, 'roles.yaml': roles },
      services: {
        payroll: {
          mount: '/payroll',
          openapi: './payroll.json',
          mode: 'observe',
          observeUntil: '2999-01-01T00:00:00Z',
        },
      },
      config: { model: { roles: './roles.yaml', publish: 'by-command' } },
    });
    await world.start();
    let id = 0;
    const tell = async (type: string, subject: string, data: object) =>
      assert.equal((await send(world, event(`e${++id}`, type, subject, data), '?wait=enforced')).status, 202);
    for (const who of ['f1', 'f2', 'f3', 'f4']) await tell('person.joined', `user:${who}`, { department: 'finance' });
    for (const who of ['p1', 'p2']) await tell('person.joined', `user:${who}`, { department: who });
    for (const who of ['boss', 'x1', 'x2', 'x3']) await tell('person.joined', `user:${who}`, { department: 'others' });
    await tell('group.changed', 'group:payroll-officers', { add: ['user:p1', 'user:p2'], remove: [] });
    await tell('object.related', 'employee:7', { relation: 'manager', subject: 'user:boss' });
    for (const who of ['f1', 'f2', 'f3'])
      await tell('object.related', 'employee:42', { relation: 'manager', subject: `user:${who}` });
  });
  after(() => world[Symbol.asyncDispose]());

  test('observed, everybody works; the diff applies, is checked, refuses nobody, and enforcing brings no surprise', async () => {
    for (const each of [...day, unscoped]) assert.equal(await call(each), 200, `observed: ${each.who} ${each.path}`);
    for (let tries = 0; (await decided(world)) < day.length + 1; tries++) {
      assert.ok(tries < 200, 'recorded');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }

    const suggested = await run('suggest', '--against', world.gate);
    assert.equal(suggested.code, 0, suggested.stderr);
    assert.match(suggested.stderr, /payroll\/exportAll: its token has to be delegated the scope payroll\.export/);
    assert.doesNotMatch(suggested.stderr, /would still be refused:\n {2}(?!payroll\/exportAll)/);
    await writeFile(join(world.folder, 'roles.diff'), suggested.stdout);
    execFileSync('git', ['init', '-q'], { cwd: world.folder });
    execFileSync('git', ['apply', 'roles.diff'], { cwd: world.folder });
    const proposed = await readFile(join(world.folder, 'roles.yaml'), 'utf8');
    assert.match(proposed, /^# Roles of the payroll service\.\nauditor:/);
    assert.match(proposed, /^used-by-finance:\n(?: {2}.*\n)*? {2}birthright:\n {4}department: finance$/m);
    assert.match(proposed, /^used-by-payroll-officers:\n/m);
    assert.doesNotMatch(proposed, /readAudit[\s\S]*readAudit/, 'the role that fits is granted, not made again');

    const checked = await run('check');
    assert.equal(checked.code, 0, checked.stdout);
    const before = await run('preview', '--against', world.gate);
    assert.equal(before.code, 3, before.stdout);
    assert.doesNotMatch(before.stdout, /would lose/);
    assert.equal((await run('publish', '--wait', 'enforced')).code, 0);
    const grants = [...suggested.stderr.matchAll(/^ {2}postern grant (\S+) (\S+) --reason/gm)].map(
      ([, subject, role]) => ({ subject, role }),
    );
    assert.deepEqual(grants.map(({ subject }) => subject).sort(), [
      'group:payroll-officers#member',
      'user:boss',
      'user:f1',
      'user:x1',
    ]);
    for (const grant of grants)
      assert.equal((await change(world, '/grants?wait=enforced', { ...grant, reason: 'used before' })).status, 201);
    const settled = await run('preview', '--against', world.gate);
    assert.equal(settled.code, 0, settled.stdout);

    const file = join(world.folder, 'postern.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^ +mode: observe\n +observeUntil: .*\n/m, ''));
    for (
      let tries = 0;
      ((await (await fetch(`${world.health}/readyz`)).json()) as { observing?: unknown }).observing;
      tries++
    ) {
      assert.ok(tries < 200, 'enforced after the reload');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const each of day) assert.equal(await call(each), 200, `enforced: ${each.who} ${each.path}`);
    assert.equal(await call(unscoped), 403, 'what was said to be refused is');
    for (const [who, path] of [
      ['x2', '/audit'],
      ['f1', '/employees/7'],
      ['p1', '/employees'],
    ] as const)
      assert.equal(await call({ who, path }), 403, `${who} ${path} was never used`);
  });
});

const decided = async (world: OwnWorld): Promise<number> => {
  const response = await fetch(`${world.gate}/.postern/audit/decisions?service=payroll&limit=500`, {
    headers: { 'x-api-key': await world.key() },
  });
  return ((await response.json()) as { items: unknown[] }).items.length;
};
