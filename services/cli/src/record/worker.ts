/**
 * The record's thread: it has the log and the audit room, so that neither a flush to disk nor the taking in of decisions keeps a
 * request at the gate waiting.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { auditParts, auditService } from '@postern/audit/app';
import { openAuditStore } from '@postern/audit-store/open';
import { questionsOver } from '@postern/authorizer/app';
import { openEventLog, openServedLog } from '@postern/event-log/open';
import { openSealedStore } from '@postern/profiles/open';
import { openRelationships } from '@postern/relationships/open';
import {
  assertionKeys,
  auditStoreUrl,
  eventLogUrl,
  httpListener,
  openLogger,
  profilesUrl,
  type Service,
  systemClock,
} from '@postern/runtime';
import { isProblem, Problem, problemInTransit } from '@postern/schemas';
import { openTelemetry } from '@postern/telemetry/open';
import type { Beginning, FromRecord, ToRecord } from './messages.ts';

const standingEveryMs = 100;

const door = parentPort;
if (door === null) throw new TypeError('this file runs as a worker only');
const say = (message: FromRecord): void => door.postMessage(message);

const { loaded: plain, log: logPort } = workerData as Beginning;
const loaded = { ...plain, lineOf: () => 0 };
const { config } = loaded;
const stack = new AsyncDisposableStack();

const open = async () => {
  const log = openLogger(config.log.level, 'postern');
  const telemetry = stack.use(await openTelemetry({ service: 'postern', otlp: config.telemetry.otlp }));
  let eventLog: Awaited<ReturnType<typeof openEventLog>>;
  if (logPort === undefined) eventLog = stack.use(await openEventLog(eventLogUrl(loaded), { telemetry }));
  else {
    const served = openServedLog(eventLogUrl(loaded));
    eventLog = stack.use(served.log);
    served.serve(logPort);
  }
  const store = stack.use(await openAuditStore(auditStoreUrl(loaded), telemetry, config.audit.owner));
  const sealed = profilesUrl(loaded).startsWith('memory:')
    ? undefined
    : stack.use(await openSealedStore(profilesUrl(loaded)));
  const parts = await auditParts(loaded);
  const clock = systemClock;
  const keys = assertionKeys({ heartbeats: eventLog.enforcement, clock, log });
  const audit = auditService(
    {
      ...parts.deps,
      // What is in memory is in another thread's memory.
      ...(sealed !== undefined && { sealed }),
      eventLog,
      store,
      keys,
      clock,
      log,
      telemetry,
      openEngine: () => openRelationships('embedded:'),
      askPast: questionsOver,
    },
    parts.config,
  );
  const listener = httpListener(audit, '127.0.0.1:0');
  return { services: [keys, audit, listener], listener, telemetry };
};

const failed = (error: unknown): void => {
  const problem = isProblem(error)
    ? error
    : new Problem('runtime/internal', {
        detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
  say({ said: 'failed', problem: problemInTransit(problem) });
};

try {
  const { services, listener, telemetry } = await open();
  const started: Service[] = [];
  let told: string | undefined;
  const tell = (): void => {
    const notReady = services.flatMap((service) => service.notReady());
    if (notReady.join('\n') !== told) say({ said: 'standing', notReady });
    told = notReady.join('\n');
  };
  let telling: NodeJS.Timeout | undefined;
  const answers: Record<ToRecord, () => Promise<void>> = {
    start: async () => {
      for (const service of services) {
        started.push(service);
        await service.start();
      }
      tell();
      telling = setInterval(tell, standingEveryMs);
      say({ said: 'started', url: listener.url() });
    },
    stop: async () => {
      clearInterval(telling);
      for (const service of started.toReversed()) await service.stop();
      say({ said: 'stopped' });
    },
    close: async () => {
      await stack.disposeAsync();
      // Ends this thread alone, whatever was still to be tried again.
      process.exit(0);
    },
    metrics: async () => say({ said: 'metrics', text: (await telemetry.metrics.exposition()).text }),
  };
  door.on('message', (asked: ToRecord) => void answers[asked]().catch(failed));
  say({ said: 'opened' });
} catch (error) {
  failed(error);
  await stack.disposeAsync();
  logPort?.close();
  door.close();
}
