/** A gate with a log of its own, as one of several processes. Arguments: the port, the API behind it. */
import { openEventLog } from '@postern/event-log/open';
import { run, silentLogger, systemClock } from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { proxyService } from '../app.ts';
import { tellParent, workerNumber } from '../workers/worker.ts';
import { bruteForce } from './brute-force.ts';
import { appendAll, granted, joined, keyed, role, routes } from './facts.ts';

const [port = '0', upstream = ''] = process.argv.slice(2);
const worker = workerNumber(process.env);
await using log = await openEventLog('memory:');
await appendAll(
  log,
  routes(
    'site',
    '/',
    { id: 'site/read', method: 'GET', template: '/read' },
    { id: 'site/write', method: 'POST', template: '/write', access: 'write' },
  ),
  role('all', { service: 'site', access: 'read' }, { service: 'site', access: 'write' }),
  joined('user:ann'),
  granted('user:ann', 'all').issued,
  keyed('credential:k1', 'user:ann', 'psk_ann'),
  granted('credential:k1', 'all').issued,
);
const point = bruteForce(log);
const telemetry = await openTelemetry({ service: 'trial', labels: { worker: String(worker) } });
const proxy = proxyService(
  { eventLog: log, decisionPoint: point, clock: systemClock, telemetry, log: silentLogger },
  {
    instance: `trial-${worker}`,
    listen: `127.0.0.1:${port}`,
    sharesPort: true,
    upstreams: { site: { upstream, timeoutMs: 5_000, bodyBytesMax: 1_000 } },
    issuers: [],
    trustedProxies: [],
    leaseMs: 5_000,
    cachedDecisionsMax: 100,
  },
);
{
  using _telling = tellParent(proxy, telemetry);
  await run({ services: [proxy], health: undefined, telemetry, log: silentLogger, onReady: () => {} });
}
point.stop();
