/** For a short while; `exactness.long.test.ts` does it for minutes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { checkExactness } from './trial/exactness/check.ts';

const seed = Number(process.env['SEED'] ?? 20261124);

test(`what the gate judged is what the API saw, octet for octet, whatever is sent (seed ${seed})`, async () => {
  await using log = await openEventLog('memory:');
  const { sent, passed } = await checkExactness(log, 800, seed);
  assert.ok(passed > sent / 20, `${passed} of ${sent} requests passed`);
});
