/** The README's story, line by line as it stands there, against a started process. What follows `# →` has to be in the output. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoWorld, posternMain, root } from '../world/embedded.ts';

type Step = { readonly command: string; readonly expected: string | undefined };

const story = (): Step[] => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /<!-- story:.*?-->\n```bash\n(.*?)```/s.exec(readme)?.[1] ?? '';
  return block
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [command = '', expected] = line.split(/ {2}# → /);
      return { command, expected };
    });
};

test('the README tells the truth, line by line', async () => {
  await using world = await demoWorld();
  const steps = story();
  assert.ok(steps.length > 12, 'the story is there');
  const usual: Record<string, string> = {
    '127.0.0.1:8080': world.gate.slice(7),
    '127.0.0.1:9002': `127.0.0.1:${world.basePort + 3}`,
  };
  const here = (command: string): string =>
    Object.entries(usual).reduce((text, [from, to]) => text.replaceAll(from, to), command);

  // `npx postern` as in a fresh clone, without asking npm each time.
  const bin = mkdtempSync(join(tmpdir(), 'postern-bin-'));
  writeFileSync(
    join(bin, 'npx'),
    `#!/bin/sh\nshift\nPOSTERN_URL=${world.gate} exec "${process.execPath}" --disable-warning=ExperimentalWarning "${posternMain}" "$@"\n`,
    { mode: 0o755 },
  );
  symlinkSync(process.execPath, join(bin, 'node'));
  const script = steps.map(({ command }, index) => `echo "@@${index}@@"; ${here(command)}`).join('\n');
  const { stdout, stderr } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], {
    cwd: world.folder,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    encoding: 'utf8',
    timeout: 60_000,
  });

  const outputs = stdout.split(/@@\d+@@\n/).slice(1);
  for (const [index, { command, expected }] of steps.entries())
    if (expected !== undefined)
      assert.ok(
        outputs[index]?.includes(expected),
        `${command}\n  expected: ${expected}\n  saw: ${outputs[index]}\n${stderr}\n${world.running().output()}`,
      );
});
