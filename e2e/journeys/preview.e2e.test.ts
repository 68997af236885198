/** Permissions as code against a started product: observed first, roles proposed from use, previewed against it, published whole. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freeBasePort, posternMain, type Running, startPostern } from '../world/embedded.ts';

const openapi = (list: string, one: string): string =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'payroll', version: '1' },
    paths: {
      '/employees': { get: { operationId: list, responses: {} } },
      '/employees/{id}': { get: { operationId: one, responses: {} } },
    },
  });
const roles = `payroll-reader:
  allows:
    - { service: payroll, access: read }
  birthright: { department: finance }
clerk:
  allows:
    - { endpoint: payroll/getEmployee }
`;

describe('permissions as code', () => {
  let folder: string;
  let running: Running;
  let gate: string;
  let health: string;
  let admin: string;
  const keys: Record<string, string> = {};
  const upstream = createServer((_request, response) => response.end('the API answers'));

  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  const config = (observe: string) => `listen: ${gate.slice(7)}
health: ${health.slice(7)}
data: ./.postern
services:
  payroll:
    upstream: http://127.0.0.1:${(upstream.address() as AddressInfo).port}
    mount: /payroll
    openapi: payroll.json
${observe}model:
  roles: roles.yaml
  publish: by-command
log: { level: warn }
`;
  const postern = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, POSTERN_URL: gate, POSTERN_KEY: admin };
      const command = ['--disable-warning=ExperimentalWarning', posternMain, ...args];
      execFile(process.execPath, command, { cwd: folder, env, timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 99), out, err }),
      );
    });
  const api = async (method: string, path: string, body?: unknown, type = 'application/json') => {
    const response = await fetch(`${gate}/.postern${path}`, {
      method,
      headers: { 'x-api-key': admin, 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${path}: ${await response.clone().text()}`);
    return (await response.json()) as Record<string, string>;
  };
  const call = (who: string, path: string) =>
    fetch(`${gate}/payroll${path}`, { headers: { 'x-api-key': keys[who] ?? '' } });
  const person = async (name: string, department: string, role: string) => {
    const data = { department };
    const event = {
      specversion: '1.0',
      id: name,
      source: '/hr',
      type: 'postern.person.joined.v1',
      subject: `user:${name}`,
      data,
    };
    await api('POST', '/events?wait=enforced', event, 'application/cloudevents+json');
    const issued = await api('POST', '/keys?wait=enforced', { owner: `user:${name}`, roles: [role], reason: 'test' });
    keys[name] = issued['key'] ?? '';
  };
  /** Decisions reach the record a moment after they were made. */
  const recorded = async (calls: number): Promise<void> => {
    for (;;) {
      const { items } = (await api('GET', '/audit/decisions?service=payroll&limit=500')) as unknown as {
        items: unknown[];
      };
      if (items.length >= calls) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-preview-'));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const base = await freeBasePort();
    gate = `http://127.0.0.1:${base}`;
    health = `http://127.0.0.1:${base + 1}`;
    await write('postern.yaml', config('    mode: observe\n    observeUntil: 2999-01-01T00:00:00Z\n'));
    await write('payroll.json', openapi('listEmployees', 'getEmployee'));
    await write('roles.yaml', roles);
    running = await startPostern(['up', '--config', 'postern.yaml'], { cwd: folder });
    admin = (await readFile(join(folder, '.postern/admin.key'), 'utf8')).trim();
    await person('ann', 'finance', 'payroll-reader');
    await person('carl', 'hr', 'payroll-reader');
  });
  after(async () => {
    running.process.kill('SIGTERM');
    await running.ended;
    upstream.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('an observed service refuses nobody, says so everywhere, and its use becomes a proposed role', async () => {
    for (let n = 0; n < 3; n++) assert.equal((await call('ann', '/employees')).status, 200);
    const would = await call('carl', '/employees/7');
    assert.deepEqual([would.status, would.headers.get('postern-observed')], [200, 'would-refuse']);
    const ready = await fetch(`${health}/readyz`);
    assert.deepEqual(((await ready.json()) as { observing: unknown }).observing, [
      { service: 'payroll', until: '2999-01-01T00:00:00Z' },
    ]);
    assert.equal(ready.status, 200);
    assert.match(running.output(), /OBSERVE MODE/);
    assert.match((await postern('check')).out, /only observed until/);
    await recorded(4);
    const { code, out, err } = await postern('suggest', '--against', gate);
    assert.equal(code, 0, err);
    assert.match(out, /^--- a\/roles\.yaml\n\+\+\+ b\/roles\.yaml\n@@ /);
    assert.match(out, /^\+used-by-hr:$/m);
    assert.match(out, /^\+ {4}- \{ endpoint: payroll\/getEmployee \}$/m);
    assert.doesNotMatch(out, /listEmployees/);
    assert.match(
      err,
      /unused: payroll-reader \(held by \d\): 1 of its 2 endpoints no holder called: payroll\/getEmployee/,
    );
    await write('proposed.diff', `${out.trimEnd()}\n`);
    await write('roles.yaml', roles);
    await new Promise<void>((resolve, reject) =>
      execFile('patch', ['-p1', '-i', 'proposed.diff'], { cwd: folder }, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    assert.match(await readFile(join(folder, 'roles.yaml'), 'utf8'), /used-by-hr:/);
    await write('roles.yaml', roles);
  });

  test('preview names who would lose and who would win by the change, how often they called, and the line that does it', async () => {
    await write('roles.yaml', roles.replace('{ service: payroll, access: read }', '{ endpoint: payroll/getEmployee }'));
    const loses = await postern('preview', '--against', gate, '--format', 'markdown');
    assert.equal(loses.code, 2, loses.err);
    assert.match(
      loses.out,
      /\| `payroll\/listEmployees`<br>`GET \/payroll\/employees` +\| `user:ann \+ credential:\S+` +\| +3 \|.*`payroll-reader` opens it now and not here \(`roles\.yaml:1`\)/,
    );
    await write('wanted.yaml', '- user:ann GET /payroll/employees\n');
    assert.equal((await postern('preview', '--against', gate, '--wanted', 'wanted.yaml')).code, 0);

    await write(
      'roles.yaml',
      `${roles}hr-reader:\n  allows:\n    - { endpoint: payroll/getEmployee }\n  birthright: { department: hr }\n`,
    );
    const wins = await postern('preview', '--against', gate);
    assert.equal(wins.code, 3, wins.err);
    assert.match(
      wins.out,
      /payroll\/getEmployee\n {4}1 caller: user:carl \+ credential:\S+\n {4}1 call, last .*\n {4}because the role hr-reader opens it here and not now/,
    );
    await write('wanted.yaml', '- role:hr-reader payroll/getEmployee\n');
    assert.equal((await postern('preview', '--against', gate, '--wanted', 'wanted.yaml')).code, 0);
    await write('roles.yaml', roles);
    assert.equal((await postern('preview', '--against', gate)).code, 0);
  });

  test('an access log of before is previewed through the same routes, and what it cannot say is said', async () => {
    await write(
      'access.log',
      [
        '10.0.0.1 - ann [20/Nov/2026:09:00:00 +0100] "GET /payroll/employees?page=2 HTTP/1.1" 200 12 "-" "curl/8"',
        '10.0.0.1 - - [20/Nov/2026:09:00:01 +0100] "GET /payroll/employees HTTP/1.1" 200 12',
        'no access log line',
      ].join('\n'),
    );
    await write('roles.yaml', roles.replace('{ service: payroll, access: read }', '{ endpoint: payroll/getEmployee }'));
    const { code, out } = await postern('preview', '--against', 'access.log', '--facts', gate);
    assert.equal(code, 2);
    assert.match(out, /1 call from 2026-11-20 08:00 UTC/);
    assert.match(out, /1 call not asked about: no user in the access log/);
    assert.match(out, /1 call not asked about: not a line of an access log \(first at line 3: no access log line\)/);
    await write('roles.yaml', roles);
  });

  test('a publication takes effect between two requests: no request is judged by routes of one set and roles of another', async () => {
    await write('postern.yaml', config(''));
    for (
      let tries = 0;
      ((await (await fetch(`${health}/readyz`)).json()) as { observing?: unknown }).observing;
      tries++
    ) {
      assert.ok(tries < 200, 'enforced after the reload');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // Each set refuses the clerk the list; either one's routes under the other's roles would let them in.
    const sets = [
      { routes: openapi('listEmployees', 'getEmployee'), clerk: 'payroll/getEmployee' },
      { routes: openapi('getEmployee', 'listEmployees'), clerk: 'payroll/listEmployees' },
    ];
    const publish = async (n: number): Promise<void> => {
      const set = sets[n % 2];
      await write('payroll.json', set?.routes ?? '');
      await write('roles.yaml', roles.replace('endpoint: payroll/getEmployee', `endpoint: ${set?.clerk}`));
      const published = await postern('publish', '--commit', `c${n}`, '--wait', 'enforced');
      assert.equal(published.code, 0, published.err);
    };
    await person('eve', 'sales', 'clerk');
    await api('POST', '/grants?wait=enforced', { subject: 'user:eve', role: 'clerk', reason: 'test' });
    assert.equal((await call('eve', '/employees')).status, 403);
    const seen = { clerk: new Map<number, number>(), reader: new Map<number, number>() };
    let over = false;
    const hammer = async (who: string, counts: Map<number, number>): Promise<void> => {
      while (!over) {
        // An idle connection that the gate closes just then is no answer: asked again.
        const status = await call(who, '/employees').then(
          (response) => response.status,
          () => undefined,
        );
        if (status !== undefined) counts.set(status, (counts.get(status) ?? 0) + 1);
      }
    };
    const hammers = [...Array.from({ length: 6 }, () => hammer('eve', seen.clerk)), hammer('ann', seen.reader)];
    for (let n = 1; n <= 6; n++) await publish(n);
    over = true;
    await Promise.all(hammers);
    assert.deepEqual([...seen.clerk.keys()], [403], `${seen.clerk.get(200)} of ${seen.clerk.get(403)} were let in`);
    assert.deepEqual([...seen.reader.keys()], [200]);

    const facts = (await api('GET', '/audit/facts?type=postern.routes.published.v1&limit=1')) as unknown as {
      items: { body: { appendid: string; authid: string; data: { commit?: string } } }[];
    };
    assert.deepEqual([facts.items[0]?.body.data.commit, facts.items[0]?.body.authid], ['c6', 'user:admin']);
  });
});
