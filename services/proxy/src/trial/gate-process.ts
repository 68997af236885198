/** A gate with a log of its own, as one of several processes. Arguments: the port, the API behind it, an issuer's keys in a file. */
import { openEventLog } from '@postern/event-log/open';
import { run, silentLogger, systemClock } from '@postern/runtime';
import { Issuer } from '@postern/schemas';
import { openTelemetry } from '@postern/telemetry/open';
import { proxyService } from '../app.ts';
import { parentsProofMemory, tellParent, workerNumber } from '../workers/worker.ts';
import { bruteForce } from './brute-force.ts';
import { appendAll } from './facts.ts';
import { siteFacts } from './site.ts';

const [port = '0', upstream = '', jwks] = process.argv.slice(2);
const issuer = { issuer: 'https://idp.test', audience: ['api'], jwks, dpop: { nonce: true } };
const worker = workerNumber(process.env);
await using log = await openEventLog('memory:');
await appendAll(log, ...siteFacts);
const point = bruteForce(log);
const telemetry = await openTelemetry({ service: 'trial', labels: { worker: String(worker) } });
const proxy = proxyService(
  {
    eventLog: log,
    decisionPoint: point,
    clock: systemClock,
    telemetry,
    log: silentLogger,
    proofMemory: parentsProofMemory(process.env),
  },
  {
    instance: `trial-${worker}`,
    listen: `127.0.0.1:${port}`,
    sharesPort: true,
    upstreams: { site: { upstream, timeoutMs: 5_000, bodyBytesMax: 1_000 } },
    issuers: jwks === undefined ? [] : [Issuer.parse(issuer)],
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
