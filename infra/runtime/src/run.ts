/** Starts services in order and stops them in reverse, once, whatever the reason. */
import { setTimeout } from 'node:timers/promises';
import type { Telemetry } from '@postern/telemetry';
import { listen } from './address.ts';
import { healthApp } from './health.ts';
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';

export type RunOptions = {
  readonly services: readonly Service[];
  /** HOST:PORT of the health listener; undefined where another process tells how this one is. */
  readonly health: string | undefined;
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /** Called once everything is ready. */
  readonly onReady: () => Promise<void> | void;
  /** How long a stop may take before the process ends without it, in ms. */
  readonly stopTimeoutMs?: number;
};

/** Resolves when a signal has stopped everything; rejects when a start fails, after stopping what had started. */
export const run = async ({
  services,
  health,
  telemetry,
  log,
  onReady,
  stopTimeoutMs = 20_000,
}: RunOptions): Promise<void> => {
  const stopping = Promise.withResolvers<NodeJS.Signals>();
  const onSignal = (signal: NodeJS.Signals): void => stopping.resolve(signal);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  const started: Service[] = [];
  const stopped = new AbortController();
  const app = healthApp({ services, telemetry, log });
  try {
    if (health !== undefined) await listen(app, health);
    for (const service of services) {
      started.push(service);
      await service.start();
    }
    const ready = whenReady(services, stopped.signal).then((isReady) => (isReady ? onReady() : undefined));
    ready.catch(() => {});
    const signal = await Promise.race([stopping.promise, ready.then(() => stopping.promise)]);
    log.info({ signal }, 'stopping');
  } finally {
    stopped.abort();
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    await Promise.race([stopInReverse(started, log), setTimeout(stopTimeoutMs, undefined, { ref: false })]);
    await app.close();
  }
};

const stopInReverse = async (started: readonly Service[], log: Logger): Promise<void> => {
  for (const service of started.toReversed())
    await service
      .stop()
      .catch((error) => log.error({ err: error, service: service.name }, 'a service did not stop cleanly'));
};

/** False where it was stopped before: a process that never became ready still has to end. */
const whenReady = async (services: readonly Service[], stopped: AbortSignal): Promise<boolean> => {
  while (!stopped.aborted) {
    if (services.every((service) => service.notReady().length === 0)) return true;
    await setTimeout(20);
  }
  return false;
};
