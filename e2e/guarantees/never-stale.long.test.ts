/** The model of services/proxy/src/decide/never-stale.test.ts for as long as it takes: a hundred thousand schedules, each core with a seed of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../world/embedded.ts';

const schedules = Number(process.env['SCHEDULES'] ?? 100_000);
const cores = Math.min(availableParallelism(), 8);
const firstSeed = Number(process.env['SEED'] ?? randomInt(1, 1_000_000_000));

test(`none of ${schedules} random schedules lets through what the log forbids (seeds from ${firstSeed} on)`, async () => {
  const ends = await Promise.all(
    Array.from({ length: cores }, async (_, core) => {
      const args = [join(root, 'services/proxy/src/trial/model/check.ts'), String(Math.ceil(schedules / cores))];
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', ...args, String(firstSeed + core)],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => process.stdout.write(chunk));
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const [code] = await once(child, 'close');
      return code === 0 ? '' : said;
    }),
  );
  assert.deepEqual(
    ends,
    ends.map(() => ''),
  );
});
