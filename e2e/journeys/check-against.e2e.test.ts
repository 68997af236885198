/** `postern check --against` a running gate: who gains and loses under changed files, what would be lost, and what was never used. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ended, postern } from '../world/command.ts';
import { type OwnWorld, ownWorld } from '../world/own-api.ts';
import { change, event, send } from '../world/things.ts';

const schema = (view: string, more = '\trelation manager: user\n'): string => `definition employee {
	relation self_service: user
${more}
	permission view: user | workload | credential = ${view}
}
`;
const payroll = `openapi: 3.1.0
paths:
  /employees:
    get: { operationId: list }
    post: { operationId: add }
  /employees/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: get, x-postern: { object: { type: employee, parameter: id, permission: view } } }
`;
const roles = `clerk: { allows: [{ service: payroll, access: write }], birthright: { department: finance } }
caller: { allows: [{ service: payroll, access: read }], birthright: { department: sales } }
`;
const widened = schema('self_service + manager');

describe('check against a running gate', () => {
  let world: OwnWorld;
  let folder: string;

  /** The files of the branch: those that are live, but for what is given. */
  const check = async (
    changed: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Ended> => {
    const branch = await mkdtemp(join(folder, 'branch-'));
    await cp(join(world.folder, 'postern.yaml'), join(branch, 'postern.yaml'));
    const files = { 'own.zed': schema('self_service'), 'payroll.yaml': payroll, 'roles.yaml': roles, ...changed };
    const assertions = { 'assertions.yaml': 'assert: []\n', ...files };
    for (const [name, text] of Object.entries(assertions)) await writeFile(join(branch, name), text);
    return postern(['check', '--against', world.gate, ...args], {
      cwd: branch,
      env: { POSTERN_KEY: await world.key(), ...environment },
    });
  };
  const call = async (who: string, path: string, method = 'GET'): Promise<number> => {
    const token = await world.issuer.token(who);
    return (await fetch(`${world.gate}/payroll${path}`, { method, headers: { authorization: `Bearer ${token}` } }))
      .status;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-against-'));
    world = await ownWorld({
      files: {
        'own.zed': schema('self_service'),
        'payroll.yaml': payroll,
        'roles.yaml': roles,
        'assertions.yaml': 'assert: []\n',
      },
      services: { payroll: { mount: '/payroll', openapi: './payroll.yaml' } },
      config: { model: { schema: './own.zed', roles: './roles.yaml', assertions: './assertions.yaml' } },
    });
    await world.start();
    const joined = (name: string, department: string) =>
      send(world, event(`join-${name}`, 'person.joined', `user:${name}`, { department }));
    for (const name of ['ann', 'bob']) assert.equal((await joined(name, 'finance')).status, 202);
    for (const name of ['mia', 'max']) assert.equal((await joined(name, 'sales')).status, 202);
    for (const [relation, name] of [
      ['self_service', 'ann'],
      ['manager', 'mia'],
    ] as const) {
      const related = event(`rel-${name}`, 'object.related', 'employee:42', { relation, subject: `user:${name}` });
      assert.equal((await send(world, related, '?wait=enforced')).status, 202);
    }
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('files that say what is live gain nobody anything, and pass strictly', async () => {
    const { code, stdout, stderr } = await check({}, ['--strict', '--format', 'json']);
    const { comparison, findings } = JSON.parse(stdout);
    assert.deepEqual([comparison.gains, comparison.loses], [[], []], stderr);
    assert.equal(comparison.compared, comparison.pairs);
    // Nobody asserts anything here; that the roles are birthrights keeps them from being unused.
    assert.deepEqual([code, findings], [0, []]);
  });

  test('a changed expression is shown as who gains and who loses, and fails strictly until somebody says yes to the gain', async () => {
    const open = await check({ 'own.zed': widened });
    assert.equal(open.code, 0);
    assert.match(open.stdout, /own\.zed:5: warning: employee:42#view: refused → allowed for user:mia/);
    assert.equal((await check({ 'own.zed': widened }, ['--strict'])).code, 1);
    assert.equal((await check({ 'own.zed': widened }, ['--strict', '--accept-gains'])).code, 0);
    const said = { 'own.zed': widened, 'assertions.yaml': 'gains: [user:mia gains employee:42#view]\n' };
    const accepted = await check(said, ['--strict']);
    assert.equal(accepted.code, 0, accepted.stdout);
    assert.match(accepted.stdout, /note: employee:42#view: refused → allowed for user:mia/);
    // A yes is to one gain: another one is still open.
    const other = await check({ ...said, 'roles.yaml': roles.replace('access: read', 'access: write') }, ['--strict']);
    assert.equal(other.code, 1);
    assert.match(other.stdout, /warning: payroll\/add: refused → allowed for .*user:max/);
    const idle = await check({ 'assertions.yaml': 'gains: [role:caller gains payroll/add]\n' }, ['--strict']);
    assert.equal(idle.code, 0);
    assert.match(idle.stdout, /note: "role:caller gains payroll\/add" is no gain over/);

    const swapped = await check({ 'own.zed': schema('manager') });
    assert.match(swapped.stdout, /refused → allowed for user:mia/);
    assert.match(swapped.stdout, /note: employee:42#view: allowed → refused for user:ann/);
  });

  test('a schema without a place for live relationships is an error that names them', async () => {
    const { code, stdout } = await check({ 'own.zed': schema('self_service', '') });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /employee has no relation manager, and one live relationship stands there: employee:42#manager@user:mia/,
    );
    // Nothing of it was written: the same gate still takes the relation.
    assert.equal((await check({}, ['--strict'])).code, 0);
  });

  test('a gate that does not answer, or does not let itself be read, is no finding: exit 4', async () => {
    const away = await postern(['check', '--against', 'http://127.0.0.1:9'], {
      cwd: world.folder,
      env: { POSTERN_KEY: 'psk_x' },
    });
    assert.deepEqual([away.code, /cannot be reached/.test(away.stderr)], [4, true], away.stderr);
    const key = await change(world, '/keys', { owner: 'user:ann', roles: ['clerk'], reason: 'a test' });
    const refused = await check({}, [], { POSTERN_KEY: String(key.body['key']) });
    assert.equal(refused.code, 4, refused.stdout);
    assert.match(refused.stderr, /proxy\/denied/);
  });

  test('write access whose holders only read is a warning with the calls and their period', async () => {
    const silent = await check({}, ['--strict']);
    assert.equal(silent.code, 0, 'nobody called yet: that says nothing');
    assert.equal(await call('ann', '/employees'), 200);
    assert.equal(await call('ann', '/employees/42'), 200);
    assert.equal(await call('bob', '/employees'), 200);
    assert.equal(await call('mia', '/employees', 'POST'), 403);
    // Decisions reach the record a moment after the calls they are about.
    const eventually = async (isThere: (told: Ended) => boolean): Promise<Ended> => {
      for (;;) {
        const told = await check({}, ['--strict', '--format', 'json']);
        if (isThere(told)) return told;
      }
    };
    const first = await eventually(({ stdout }) => stdout.includes(': 3 calls from'));
    const { findings } = JSON.parse(first.stdout);
    assert.deepEqual(
      findings.map(({ rule, level, line }: { rule: string; level: string; line: number }) => [rule, level, line]),
      [['role/write-not-used', 'warning', 1]],
    );
    assert.match(
      findings[0].what,
      /clerk gives write access to payroll, and the 2 holders who called there only read: 3 calls from \S+ to \S+, no write/,
    );
    assert.equal(first.code, 1);
    assert.equal(await call('bob', '/employees', 'POST'), 200);
    await eventually(({ code }) => code === 0);
    const used = await check({}, ['--strict']);
    assert.equal(used.code, 0, used.stdout);
    // The administrator's own calls stand in the record too.
    assert.match(
      used.stdout,
      /use: all \d+ calls that passed in the record of http.* \(nothing sampled\), \d+ records/,
    );
  });
});
