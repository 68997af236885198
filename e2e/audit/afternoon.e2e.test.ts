/** The auditor's tutorial, its lines as they stand there, against a gate to which a month was told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { posternMain, root } from '../world/embedded.ts';
import { change } from '../world/things.ts';
import { auditedWorld, tell } from './story.ts';

const blocks = async (): Promise<string[]> => {
  const page = await readFile(join(root, 'docs/tutorial/an-auditors-afternoon.md'), 'utf8');
  return [...page.matchAll(/```bash\n(.*?)```/gs)].map(([, text = '']) => text);
};

test("an auditor's afternoon goes as the tutorial tells it, with a key that may only read", async () => {
  const told = await blocks();
  assert.equal(told.length, 8);
  await using world = await auditedWorld();
  await world.start();
  const { before } = await tell(world);
  const joined = {
    specversion: '1.0',
    id: 'auditor',
    source: '/hr',
    type: 'postern.person.joined.v1',
    subject: 'user:auditor',
  };
  await change(
    world,
    '/events?wait=enforced',
    { ...joined, data: {} },
    { contentType: 'application/cloudevents+json' },
  );
  const key = { owner: 'user:auditor', roles: ['postern-auditor'], reason: 'the audit' };
  await change(world, '/grants?wait=enforced', {
    subject: 'user:auditor',
    role: 'postern-auditor',
    reason: 'the audit',
  });
  const made = await change(world, '/keys?wait=enforced', key);
  const bin = join(world.folder, 'postern');
  const main = `"${process.execPath}" --disable-warning=ExperimentalWarning "${posternMain}"`;
  await writeFile(bin, `#!/bin/sh\nexec ${main} "$@"\n`);
  await chmod(bin, 0o755);
  const run = (lines: string | undefined): string => {
    const { stdout, stderr, status } = spawnSync('bash', ['-e', '-c', lines ?? 'exit 1'], {
      cwd: world.folder,
      env: {
        ...process.env,
        PATH: `${world.folder}:${process.env['PATH']}`,
        POSTERN_URL: world.gate,
        POSTERN_KEY: String(made.body['key']),
        BEFORE: before,
      },
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.equal(status, 0, `${lines}\n${stdout}${stderr}`);
    return stdout;
  };
  const [verify, population, past, leaver, right, review, replay, here] = told;
  assert.match(run(verify), /facts +intact: \d+ entries.*decisions +intact/s);
  const counted = run(population);
  assert.match(counted, /issued \d+, revoked \d+/);
  assert.match(counted, /user:ann +payslips +user:boss .*T-1 .*user:boss as manager .*true/);
  const bundle = JSON.parse(await readFile(join(world.folder, 'population.json'), 'utf8'));
  assert.equal(bundle.rows.length, bundle.summary.issued + bundle.summary.revoked + bundle.summary.expired);
  const could = run(past);
  assert.match(could, /user:ann +payroll\/getPayslip/);
  assert.doesNotMatch(could, /user:ann +payroll\/listEmployees/, 'nobody could do anything at fact 1');
  const left = run(leaver);
  assert.match(left, /terminations 1, sla hours 24, breaches 1/);
  assert.match(left, /allowed before we were told/);
  assert.match(run(right), /^allow .*\ndeny .*\nnot as known now\n$/s);
  assert.match(run(review), /revokes 1, executed 1, enforced 1, then refused 1/);
  const again = run(replay);
  assert.match(again, /the live authorizer at \d+: \d+ relationships, the same/);
  assert.match(again, /, 0 otherwise/);
  assert.match(run(here), /user:auditor +postern\/askQuestion/);
});
