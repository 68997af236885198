import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEventLog } from '@postern/event-log/open';
import { raceForHalves } from './testing/racing-halves.ts';

test('of two simultaneous yeses to what must be kept separate one is refused, whichever came second (log in a file)', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-race-'));
  stack.defer(() => rm(folder, { recursive: true }));
  // One process owns the file: the two instances share the log's door, as two rooms of one process would.
  const log = stack.use(await openEventLog(`file:${folder}`));
  const shared = async () => ({ ...log, [Symbol.asyncDispose]: async () => {} });
  const won = await raceForHalves(shared, 40);
  assert.equal(won.left + won.right, 40);
  assert.ok(won.lost > 0, 'they raced');
});
