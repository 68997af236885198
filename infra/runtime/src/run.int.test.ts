import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { noTelemetry } from '@postern/telemetry';
import { silentLogger } from './logger.ts';
import { run } from './run.ts';

test('a process that is stopped before it was ever ready ends, and is asked no more', async () => {
  let asked = 0;
  let stopped = false;
  const running = run({
    services: [
      {
        name: 'never',
        start: async () => {},
        notReady: () => {
          asked++;
          return ['something is missing'];
        },
        stop: async () => {
          stopped = true;
        },
      },
    ],
    health: '127.0.0.1:0',
    telemetry: noTelemetry,
    log: silentLogger,
    onReady: () => assert.fail('it was not ready'),
  });
  while (asked < 2) await setTimeout(5);
  process.emit('SIGTERM');
  await running;
  assert.equal(stopped, true);
  await setTimeout(30);
  const before = asked;
  await setTimeout(60);
  assert.equal(asked, before);
});
