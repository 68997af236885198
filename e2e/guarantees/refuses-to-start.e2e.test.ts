/** Whatever keeps Postern from starting: exit code 1, a message that says what, where and what to do, and nothing half done. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Ended, postern } from '../world/command.ts';
import { freeBasePort, startPostern } from '../world/embedded.ts';

const openapi = `openapi: 3.1.0
paths:
  /things:
    get: { operationId: listThings }
    post: { operationId: addThing }
`;
const roles = 'thing-reader: { allows: [{ service: things, access: read }] }\n';
const config = (basePort: number, more = '') => `listen: 127.0.0.1:${basePort}
health: 127.0.0.1:${basePort + 1}
data: ./state
services:
  things: { upstream: "http://127.0.0.1:9", mount: /things, openapi: ./things.yaml }
model: { roles: ./roles.yaml }
log: { level: warn }
${more}`;

type Folder = AsyncDisposable & { readonly path: string; readonly basePort: number };
const folder = async (files: Readonly<Record<string, string>> = {}): Promise<Folder> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-refuses-'));
  const basePort = await freeBasePort();
  const all = { 'postern.yaml': config(basePort), 'roles.yaml': roles, 'things.yaml': openapi, ...files };
  for (const [name, text] of Object.entries(all)) await writeFile(join(path, name), text);
  return { path, basePort, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
};
const up = (cwd: string, ...more: string[]) => postern(['up', ...more], { cwd });

const refused = ({ code, stdout, stderr }: Ended, ...says: readonly RegExp[]): void => {
  assert.equal(code, 1, stderr);
  assert.equal(stdout, '', 'nothing on stdout');
  for (const text of says) assert.match(stderr, text);
  assert.doesNotMatch(stderr, /unexpected failure|^\s+at .*\.ts:\d+/m, 'a message, and no stack');
};
/** What a start leaves behind that was refused must not stand in the way of the next. */
const startsAgain = async (cwd: string): Promise<void> => {
  const running = await startPostern(['up'], { cwd });
  running.process.kill('SIGTERM');
  assert.equal(await running.ended, 0, running.output());
  assert.match(await readFile(join(cwd, 'state/admin.key'), 'utf8'), /^psk_/);
};

describe('a configuration with mistakes', () => {
  test('is refused with every mistake at once, each with file, line and what to do', async () => {
    await using here = await folder({
      'postern.yaml':
        'listen: nowhere\nservces: {}\neventLog: ftp://x\nservices:\n  things: { upstream: ftp://x, mount: things }\n',
    });
    const mistakes = [
      /^ *postern\.yaml:1: listen: write HOST:PORT/m,
      /^ *postern\.yaml:2: unknown key "servces": remove it or check its spelling/m,
      /^ *postern\.yaml:3: eventLog: write a URL that begins with kafka:, file:, memory:/m,
      /^ *postern\.yaml:5: services\.things\.upstream: write a URL that begins with http:, https:/m,
      /^ *postern\.yaml:5: services\.things\.mount: write a path/m,
    ];
    refused(await postern(['up'], { cwd: here.path }), ...mistakes, /runtime\/bad-config; docs\/failure-modes\.md/);
    const checked = await postern(['check'], { cwd: here.path });
    assert.deepEqual([checked.code, checked.stderr], [1, '']);
    for (const mistake of mistakes) assert.match(checked.stdout, mistake);
    assert.equal(existsSync(join(here.path, 'state')), false, 'no data folder');
  });

  test('is refused with the mistakes of all model files together', async () => {
    await using here = await folder({
      'roles.yaml': [
        'thing-reader: { allows: [{ service: thingz, access: read }] }',
        'thing-writer: { allows: [{ endpoint: things/noSuch }] }',
        'postern-admin: { allows: [{ service: things, access: read }] }',
        '',
      ].join('\n'),
      'things.yaml': `${openapi}  /others:\n    get: { operationId: listThings }\n`,
    });
    refused(
      await up(here.path),
      /roles\.yaml:1: thing-reader allows the service thingz, which is not configured: check the spelling/,
      /roles\.yaml:2: thing-writer allows the endpoint things\/noSuch, which no document declares/,
      /roles\.yaml:3: postern-admin is one of Postern's own roles: choose another name/,
      /things\.yaml:7: .*listThings/,
    );
    assert.equal(existsSync(join(here.path, 'state')), false, 'no data folder');
  });

  test('names the line that asks for a file which is not there', async () => {
    await using here = await folder();
    await rm(join(here.path, 'things.yaml'));
    await rm(join(here.path, 'roles.yaml'));
    refused(
      await up(here.path),
      /postern\.yaml:5: \.\/things\.yaml: the file does not exist: name the file, relative to this one/,
      /postern\.yaml:6: \.\/roles\.yaml: the file does not exist/,
    );
  });

  test('names an environment variable that is not set', async () => {
    await using here = await folder();
    await writeFile(
      join(here.path, 'postern.yaml'),
      config(here.basePort, 'auditStore: postgres://x:${POSTERN_TEST_UNSET}@db/x\n'),
    );
    refused(await up(here.path), /postern\.yaml:8: \$\{POSTERN_TEST_UNSET\} is not set: set the environment variable/);
  });

  test('that is not there is told how to come by one', async () => {
    await using here = await folder();
    refused(await up(here.path, '--config', 'no.yaml'), /no\.yaml: the file does not exist\n.*--config.*postern init/);
  });
});

describe('a service by itself', () => {
  test('needs to be told where the others are', async () => {
    await using here = await folder();
    refused(
      await postern(['serve', 'proxy'], { cwd: here.path }),
      /postern\.yaml:\d+: proxy by itself needs an event log/,
      /postern up/,
    );
    await writeFile(join(here.path, 'postern.yaml'), config(here.basePort, 'eventLog: kafka://127.0.0.1:1/x\n'));
    refused(await postern(['serve', 'proxy'], { cwd: here.path }), /rooms\.authorizer, rooms\.grants and rooms\.audit/);
  });
});

describe('what is in the way', () => {
  for (const [which, offset] of [
    ['the gate', 0],
    ['the health listener', 1],
  ] as const)
    test(`the port of ${which} in use by another process is named, and nothing has been written`, async () => {
      await using here = await folder();
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(here.basePort + offset, '127.0.0.1', resolve));
      refused(await up(here.path), new RegExp(`127\\.0\\.0\\.1:${here.basePort + offset}`), /Stop the other process/);
      assert.equal(existsSync(join(here.path, 'state')), false, 'no data folder');
      assert.ok(other.listening, 'the other process goes on');
      await new Promise((resolve) => other.close(resolve));
      await startsAgain(here.path);
    });

  test('a data folder that another process has open is left alone', async () => {
    await using here = await folder();
    const first = await startPostern(['up'], { cwd: here.path });
    await using beside = await folder();
    await writeFile(
      join(beside.path, 'postern.yaml'),
      config(beside.basePort).replace('./state', join(here.path, 'state')),
    );
    refused(await up(beside.path), /Another process has this data folder open/, /lsof .*event-log\.sqlite/);
    const gate = await fetch(`http://127.0.0.1:${here.basePort}/things`);
    assert.equal(gate.status, 401, 'the first goes on');
    first.process.kill('SIGTERM');
    assert.equal(await first.ended, 0);
  });

  test('a log file that is none is kept as it is', async () => {
    await using here = await folder();
    await mkdir(join(here.path, 'state'));
    const log = join(here.path, 'state/event-log.sqlite');
    await writeFile(log, 'this is no database, but perhaps all that is left of one'.repeat(100));
    const before = await readFile(log);
    refused(
      await up(here.path),
      /The log file cannot be read/,
      /event-log\.sqlite/,
      /restore the folder from a backup/,
    );
    assert.deepEqual(await readFile(log), before);
    await rm(log);
    await startsAgain(here.path);
  });

  test('a log with a fact that was changed is refused, and so is every request meanwhile', async () => {
    await using here = await folder();
    await startsAgain(here.path);
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(here.path, 'state/event-log.sqlite'));
    database.exec("UPDATE facts SET bytes = CAST('{}' AS BLOB) WHERE sequence = 2");
    database.close();
    refused(await up(here.path), /fact 2 is not what was written/);
  });

  for (const [what, make] of [
    ['a folder', (file: string) => mkdir(file, { recursive: true })],
    ['another text', (file: string) => writeFile(file, 'a note to myself\n')],
  ] as const)
    test(`an admin.key that is ${what} is not overwritten, and the administrator gets a key once it is moved away`, async () => {
      await using here = await folder();
      await mkdir(join(here.path, 'state'));
      const file = join(here.path, 'state/admin.key');
      await make(file);
      refused(await up(here.path), /admin\.key/);
      assert.ok(existsSync(file));
      await rm(file, { recursive: true });
      await startsAgain(here.path);
    });

  test('a signing key that cannot be read is not replaced by a new one', async () => {
    await using here = await folder();
    await startsAgain(here.path);
    const key = join(here.path, 'state/audit.key');
    await cp(key, `${key}.kept`);
    await writeFile(key, 'broken\n');
    refused(await up(here.path), /the key that signs checkpoints is unusable/);
    assert.equal(await readFile(key, 'utf8'), 'broken\n');
    await cp(`${key}.kept`, key);
    await startsAgain(here.path);
  });
});
