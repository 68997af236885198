/** What docs/reference/cli.md says of exit codes, asked of the command itself against a started process. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ended, postern } from '../world/command.ts';
import { type DemoWorld, demoWorld } from '../world/embedded.ts';

describe('postern ends with', () => {
  let world: DemoWorld;
  before(async () => {
    world = await demoWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const run = (...args: string[]) => postern(args, { cwd: world.folder, env: { POSTERN_URL: world.gate } });
  /** Ends with `code`; a failure says so on stderr, in words and without a stack. */
  const ends = async (code: number, args: readonly string[], says: RegExp = /./): Promise<Ended> => {
    const ended = await run(...args);
    const all = `postern ${args.join(' ')}: ${ended.code}\n${ended.stdout}\n${ended.stderr}`;
    assert.equal(ended.code, code, all);
    assert.match(ended.stdout + ended.stderr, says, all);
    assert.doesNotMatch(ended.stderr, /unexpected failure|^\s+at .*:\d+:\d+/m, all);
    if (code !== 0 && args[0] !== 'can' && args[0] !== 'audit') assert.equal(ended.stdout, '', all);
    return ended;
  };

  test('0 for what was done', async () => {
    await ends(0, ['--help'], /Commands:/);
    await ends(0, ['--version'], /^\d+\.\d+/);
    await ends(0, ['grants', '--help'], /--subject/);
    const { stdout } = await ends(0, [
      'grant',
      'user:dave',
      'payroll-reader',
      '--reason',
      'test',
      '--wait',
      'enforced',
      '--json',
    ]);
    const { id, enforced } = JSON.parse(stdout) as { id: string; enforced: boolean };
    assert.equal(enforced, true);
    await ends(0, ['can', 'user:dave', 'get', '/payroll/employees', '--explain'], /^allow .*\n.*role payroll-reader/);
    await ends(0, ['grants', '--subject', 'user:dave'], /^SUBJECT .*\nuser:dave +payroll-reader/);
    await ends(0, ['revoke', id, '--reason', 'test', '--wait', 'enforced'], /enforced by the proxy/);
    await ends(0, ['who', 'payroll/listEmployees'], /user:bob/);
    await ends(0, ['what', 'user:bob'], /payroll\/listEmployees/);
    await ends(0, ['grants', '--subject', 'user:zz'], /nothing found/);
    await ends(0, ['facts', '--limit', '5'], /grant\.revoked/);
    await ends(0, ['role', 'list'], /payroll-reader/);
    await ends(0, ['audit', 'verify'], /facts +intact[\s\S]*decisions +intact/);
    await ends(0, ['audit', 'proof', '3'], /^c2sp\.org\/tlog-proof@v1/);
  });

  test('0 for events that were sent, and roles and keys that were changed', async () => {
    const event = {
      specversion: '1.0',
      id: 'cli-1',
      source: '/hr',
      type: 'postern.person.joined.v1',
      subject: 'user:erin',
      data: {},
    };
    await writeFile(join(world.folder, 'event.json'), JSON.stringify(event));
    await writeFile(
      join(world.folder, 'role.yaml'),
      'payslip-reader: { allows: [{ endpoint: payroll/getPayslip }] }\n',
    );
    await ends(0, ['send', 'event.json'], /"repeated": false/);
    await ends(0, ['send', 'event.json'], /"repeated": true/);
    await ends(0, ['role', 'put', 'payslip-reader', 'role.yaml'], /the role payslip-reader stands/);
    const { stdout, stderr } = await ends(0, [
      'key',
      'issue',
      'user:erin',
      '--role',
      'payslip-reader',
      '--reason',
      'test',
    ]);
    assert.match(stdout, /^psk_[\w-]{43}\n$/, 'the key alone on stdout');
    const credential = /credential:\w+/.exec(stderr)?.[0] ?? '';
    await ends(0, ['key', 'list', '--owner', 'user:erin'], /payslip-reader/);
    await ends(0, ['key', 'revoke', credential], /revoked/);
    await ends(0, ['role', 'retire', 'payslip-reader'], /is retired/);
  });

  test('1 for a deny, a refusal and a mistake in what was given', async () => {
    await ends(
      1,
      ['can', 'user:bob', 'PATCH', '/payroll/employees/42', '--explain'],
      /^deny \(no-grant\)[\s\S]*payroll-writer/,
    );
    await ends(1, ['can', 'user:bob', 'GET', '/nowhere'], /^deny \(no-such-endpoint\)/);
    await ends(
      1,
      ['grant', 'user:nobody', 'payroll-reader', '--reason', 'x'],
      /has not joined[\s\S]*grants\/unknown-principal/,
    );
    await ends(1, ['grant', 'user:dave', 'nope', '--reason', 'x'], /grants\/unknown-role/);
    await ends(1, ['grant', 'dave', 'payroll-reader', '--reason', 'x'], /write user:NAME/);
    await ends(1, ['revoke', '00000000-0000-0000-0000-000000000000', '--reason', 'x'], /postern grants/);
    await ends(1, ['send', 'none.json'], /none\.json cannot be read: it does not exist/);
    await writeFile(join(world.folder, 'broken.json'), '{');
    await ends(1, ['send', 'broken.json'], /broken\.json holds no JSON/);
    await ends(1, ['role', 'put', 'xyz', 'none.yaml'], /none\.yaml: the file does not exist/);
    await ends(1, ['audit', 'proof', '99999'], /audit\/no-such-record/);
    await ends(1, ['audit', 'verify', '--vkey', 'none'], /none cannot be read/);
    await ends(1, ['facts', '--since', 'yesterday'], /since/);
    await ends(1, ['grants', '--key', 'psk_wrong'], /proxy\/bad-credential/);
  });

  test('1 for a record that is not what the kept key signed', async () => {
    const other = 'postern.local/facts+1d3d98c0+AUCb9pMuUWpiwHbG7lgXoQJWgt/tI+81KVmwcJWB4CZX';
    await writeFile(join(world.folder, 'vkey'), `${other}\n`);
    await ends(1, ['audit', 'verify', '--vkey', 'vkey', '--log', 'facts'], /NOT INTACT/);
  });

  test('4 where it could not ask: no gate, no key, and for can a question that was refused', async () => {
    await ends(4, ['grants', '--gate', 'http://127.0.0.1:9'], /cannot be reached.*--gate/);
    await ends(4, ['can', 'user:bob', 'GET', '/payroll/employees', '--gate', 'http://127.0.0.1:9']);
    await ends(4, ['can', 'bob', 'GET', '/payroll/employees'], /write user:NAME/);
    await ends(4, ['can', 'user:bob', 'GET', '/payroll/employees', '--key', 'psk_wrong'], /proxy\/bad-credential/);
    await ends(
      4,
      ['can', 'user:bob', 'GET', '/payroll/employees', '--data', 'elsewhere'],
      /no key: give --key, set POSTERN_KEY/,
    );
  });

  test('1 where the file of the key cannot be read', async () => {
    const file = join(world.folder, '.postern/admin.key');
    await rename(file, `${file}.kept`);
    await mkdir(file);
    await ends(1, ['grants'], /admin\.key cannot be read: it is a folder/);
    await rename(file, `${file}.folder`);
    await rename(`${file}.kept`, file);
  });

  test('64 for a command line that is wrong', async () => {
    for (const args of [
      ['nonsense'],
      ['grant', 'user:dave'],
      ['grant', 'user:dave', 'payroll-reader'],
      ['grant', 'user:dave', 'payroll-reader', '--reason', 'x', '--wait', 'long'],
      ['facts', '--limit', 'many'],
      ['audit', 'decisions', '--outcome', 'maybe'],
      ['up', '--demo', '--base-port', 'abc'],
      ['serve', 'nothing'],
    ])
      await ends(64, args, /error: |there is no service/);
  });

  test('0 for init and check, and 1 for init where something would be overwritten', async () => {
    const cwd = join(world.folder, 'new');
    await mkdir(cwd);
    assert.equal((await postern(['init'], { cwd })).code, 0);
    const checked = await postern(['check'], { cwd });
    assert.deepEqual([checked.code, checked.stderr], [0, '']);
    assert.match(checked.stdout, /1 service, 4 endpoints, 3 roles, \d+ definitions\nassertions: 5 hold, 0 do not\n/);
    assert.match(checked.stdout, /no mistakes found/);
    const again = await postern(['init'], { cwd });
    assert.equal(again.code, 1);
    assert.match(again.stderr, /not overwritten: postern\.yaml, roles\.yaml, example\.openapi\.yaml/);
    await appendFile(join(cwd, 'roles.yaml'), 'x: {}\n');
    const broken = await postern(['check'], { cwd });
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /roles\.yaml:14: /);
  });
});
