/** What `postern feeds try` and `postern check` say of rules, without a gate. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'postern-feeds-'));
after(() => rmSync(folder, { recursive: true }));
const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const postern = (args: readonly string[], input = '') =>
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
  });

writeFileSync(join(folder, 'postern.yaml'), 'feedRules: feeds.yaml\n');
const rules = (events: string): void =>
  writeFileSync(join(folder, 'feeds.yaml'), `hris:\n  source: /hr\n  events: |\n    ${events}\n`);

test('a rule is tried on a message, and says what it makes of it', () => {
  rules('{ "id": no, "type": "postern.person.left.v1", "subject": "user:" & $id(name) }');
  const { status, stdout, stderr } = postern(['feeds', 'try', 'hris', '-'], '{ "no": "7", "name": "Ann Lee" }');
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), [
    { specversion: '1.0', id: '7', source: '/hr', type: 'postern.person.left.v1', subject: 'user:Ann=20Lee' },
  ]);
  const wrong = postern(['feeds', 'try', 'hris', '-'], '{ "name": "Ann Lee" }');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /feeds\.yaml:4: hris: event\.id/);
});

test('check tells mistakes of rules and transmitters with file and line', () => {
  rules('{ "id": , }');
  writeFileSync(
    join(folder, 'postern.yaml'),
    'feedRules: feeds.yaml\nsignals:\n  - name: idp\n    issuer: https://idp.test\n    audience: [us]\n    jwks: file:gone.json\n',
  );
  const { status, stdout } = postern(['check']);
  assert.equal(status, 1);
  assert.match(stdout, /feeds\.yaml:4: +hris: /);
  assert.match(stdout, /postern\.yaml:6: .*gone\.json cannot be read/);
});
