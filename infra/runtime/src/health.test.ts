import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noTelemetry } from '@postern/telemetry';
import { healthApp } from './health.ts';
import { silentLogger } from './logger.ts';

test('the health address lists every target, and names those aside beside the readiness, which does not hang on them', async () => {
  const well = { service: 'payroll', target: 'http://a', standing: 'in', underWay: 2 } as const;
  const aside = { service: 'payroll', target: 'http://b', standing: 'out', why: 'no connection', underWay: 0 } as const;
  const service = {
    name: 'proxy',
    start: async () => {},
    stop: async () => {},
    notReady: () => [],
    targets: () => [well, aside],
  };
  await using stack = new AsyncDisposableStack();
  const app = healthApp({ services: [service], telemetry: noTelemetry, log: silentLogger });
  stack.defer(async () => app.close());
  assert.deepEqual((await app.inject('/upstreams')).json(), { targets: [well, aside] });
  const ready = await app.inject('/readyz');
  assert.equal(ready.statusCode, 200);
  assert.deepEqual(ready.json(), { status: 'ready', notReady: [], aside: [aside] });
});
