/**
 * The gate as `postern serve proxy` runs it, with the authorizer beside it and the log in memory: what one proxy worker pays, without
 * the record's database, which lives in another process in the distributed world.
 */
import { dirname, join } from 'node:path';
import { authorizerService } from '@postern/authorizer/app';
import { openEventLog } from '@postern/event-log/open';
import { grantsService, schemaCheck } from '@postern/grants/app';
import { openProfileStore, openSealedStore } from '@postern/profiles/open';
import { openJournal, proxyService } from '@postern/proxy/app';
import { openRelationships } from '@postern/relationships/open';
import { assertionKeys, loadConfig, loadModel, openLogger, systemClock } from '@postern/runtime';
import { openTelemetry } from '@postern/telemetry/open';
import { hireMany, publishService } from './large-organisation.ts';

type Options = {
  readonly file: string;
  readonly port: number;
  readonly upstream: number;
  readonly relationships: string;
  /** Services beside the file's, each with so many routes, shared out among so many roles of its own. */
  readonly services: number;
  readonly routesEach: number;
  readonly rolesEach: number;
  /** People beside the bench's own, each with a grant of one of the roles. */
  readonly users: number;
  readonly cachedDecisionsMax: number;
  /** What is recorded goes nowhere: what recording costs is seen by leaving it out. */
  readonly unrecorded: boolean;
};
const options = JSON.parse(process.argv[2] ?? '{}') as Options;
const { file, port, upstream, relationships, users, cachedDecisionsMax, unrecorded } = options;
const { services, routesEach, rolesEach } = options;
const loaded = loadConfig(file, process.env);
const log = openLogger('warn', 'bench');
const clock = systemClock;
const telemetry = await openTelemetry({ service: 'bench' });
const eventLog = await openEventLog('memory:', { telemetry });
const engine = await openRelationships(relationships, { telemetry });
const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
const authorizer = authorizerService({ facts: eventLog.facts, engine, keys, clock, telemetry, log });
const grants = grantsService(
  {
    eventLog,
    openFeed: () => Promise.reject(new Error('there are no feeds here')),
    profiles: await openProfileStore('memory:'),
    sealed: await openSealedStore('memory:'),
    keys,
    clock,
    telemetry,
    log,
    checkSchema: schemaCheck(() => openRelationships('embedded:')),
  },
  {
    model: loadModel(loaded),
    enforceTimeoutMs: 10_000,
    scim: loaded.config.scim,
    administratorKey: {
      keep: async (make) => make(),
      discard: async () => {},
      issued: (secret) => void process.stdout.write(`key ${secret}\n`),
    },
  },
);
await keys.start();
await authorizer.start();
await grants.start();
const roles: string[] = [...loadModel(loaded).roles.keys()];
for (let at = 0; at < services; at++)
  roles.push(...(await publishService(eventLog.facts, `more${at}`, routesEach, rolesEach)));
await hireMany(eventLog.facts, users, roles);
const rooms = await grants.http.listen({ host: '127.0.0.1', port: 0 });
const proxy = proxyService(
  {
    eventLog: unrecorded ? { ...eventLog, decisions: { publish: async () => {} } } : eventLog,
    ...(!unrecorded && { journal: openJournal(join(dirname(file), `decisions-${process.pid}`)) }),
    decisionPoint: authorizer,
    clock,
    telemetry,
    log,
  },
  {
    instance: 'bench',
    listen: `127.0.0.1:${port}`,
    upstreams: {
      bench: { upstream: `http://127.0.0.1:${upstream}`, timeoutMs: 30_000, bodyBytesMax: 1_000_000 },
      postern: { upstream: `${rooms}/.postern`, timeoutMs: 30_000, bodyBytesMax: 1_000_000 },
    },
    issuers: loaded.config.issuers,
    trustedProxies: [],
    leaseMs: 5_000,
    cachedDecisionsMax,
  },
);
await proxy.start();
while (proxy.notReady().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
process.stdout.write('ready\n');
process.on('SIGTERM', () => process.exit(0));
