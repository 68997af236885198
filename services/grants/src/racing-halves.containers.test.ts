import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startKafka } from '@postern/containers';
import { openEventLog } from '@postern/event-log/open';
import { raceForHalves } from './testing/racing-halves.ts';

test('of two simultaneous yeses to what must be kept separate one is refused, whichever came second (Kafka)', async () => {
  await using kafka = await startKafka();
  const won = await raceForHalves(() => openEventLog(`kafka://${kafka.brokers}/race`), 25);
  assert.equal(won.left + won.right, 25);
  assert.ok(won.lost > 0, 'they raced');
});
