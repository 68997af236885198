import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { checkExactness } from './trial/exactness/check.ts';

const requests = Number(process.env['REQUESTS'] ?? 20_000);
const seed = Number(process.env['SEED'] ?? randomInt(1, 1_000_000_000));

test(`of ${requests} requests made up by chance, what the gate judged is what the API saw (seed ${seed})`, async () => {
  const every = Math.ceil(requests / 10);
  await using log = await openEventLog('memory:');
  const { sent, passed, statuses } = await checkExactness(log, requests, seed, (done) => {
    if (done % every === 0) process.stdout.write(`seed ${seed}: ${done} of ${requests} requests\n`);
  });
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`);
  process.stdout.write(`${sent} sent, ${passed} reached the API; answers ${counts.join(', ')}\n`);
  assert.ok(passed > sent / 20, `${passed} of ${sent} requests passed`);
});
