/** The health listener: alive, ready or why not, metrics. It is never the gate's own listener. */
import type { Telemetry } from '@postern/telemetry';
import type { FastifyInstance } from 'fastify';
import { httpApp } from './http.ts';
import type { Logger } from './logger.ts';
import type { Service } from './service.ts';

export type HealthDeps = { readonly services: readonly Service[]; readonly telemetry: Telemetry; readonly log: Logger };

export const healthApp = ({ services, telemetry, log }: HealthDeps): FastifyInstance => {
  const app = httpApp({ log });
  const targets = () => services.flatMap((service) => service.targets?.() ?? []);
  app.get('/livez', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const notReady = services.flatMap((service) => service.notReady().map((what) => ({ service: service.name, what })));
    const observing = services.flatMap((service) => service.observing?.() ?? []);
    const watched = services.flatMap((service) => service.watched?.() ?? []);
    const aside = targets().filter(({ standing }) => standing !== 'in');
    return reply.code(notReady.length === 0 ? 200 : 503).send({
      status: notReady.length === 0 ? 'ready' : 'not ready',
      notReady,
      ...(observing.length > 0 && { observing }),
      ...(watched.length > 0 && { watched }),
      ...(aside.length > 0 && { aside }),
    });
  });
  app.get('/upstreams', async () => ({ targets: targets() }));
  app.get('/metrics', async (_request, reply) => {
    const others = await Promise.all(services.map(async (service) => (await service.snapshots?.()) ?? []));
    const { contentType, text } = await telemetry.metrics.exposition(others.flat());
    return reply.type(contentType).send(text);
  });
  return app;
};
