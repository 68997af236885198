/** A gate with a log of its own, as one of several processes. Arguments: the port, the API behind it. */
import { openEventLog } from '@postern/event-log/open';
import { run, silentLogger, systemClock } from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { proxyService } from '../app.ts';
import { tellParent, workerNumber } from '../workers/worker.ts';
import { bruteForce } from './brute-force.ts';
import { appendAll } from './facts.ts';
import { siteFacts } from './site.ts';

const [port = '0', upstream = ''] = process.argv.slice(2);
const worker = workerNumber(process.env);
await using log = await openEventLog('memory:');
await appendAll(log, ...siteFacts);
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
