/** The sample API: payroll, with a feed that stays open. It believes the gate's assertion and nothing else, as any upstream can. */
import type { Logger } from '@postern/runtime';
import { httpApp, listen } from '@postern/runtime';
import type { FastifyInstance } from 'fastify';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const employees = new Map([
  ['42', { id: '42', name: 'Ada Byron', salary: 5200 }],
  ['43', { id: '43', name: 'Grace Murray', salary: 5400 }],
]);

export type SampleApi = { readonly app: FastifyInstance; readonly listen: () => Promise<void> };

export const sampleApi = (address: string, gate: string, log: Logger): SampleApi => {
  const app = httpApp({ log });
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', gate));

  app.addHook('onRequest', async (request, reply) => {
    const assertion = request.headers['postern-assertion'];
    if (typeof assertion !== 'string') return reply.code(401).send({ error: 'come through the gate' });
    const { payload } = await jwtVerify(assertion, keys, {
      audience: 'payroll',
      issuer: 'postern',
      algorithms: ['EdDSA'],
    });
    reply.header('x-seen-by-payroll-as', String(payload.sub));
  });
  app.get('/employees', async () => [...employees.values()]);
  app.post('/employees', async (_request, reply) => reply.code(201).send({ added: true }));
  app.get<{ Params: { id: string } }>(
    '/employees/:id',
    async ({ params }, reply) => employees.get(params.id) ?? reply.code(404).send({ error: 'nobody' }),
  );
  app.patch<{ Params: { id: string } }>('/employees/:id', async ({ params }) => ({ changed: params.id }));
  app.get<{ Params: { id: string } }>('/payslips/:id', async ({ params }) => ({
    payslip: params.id,
    net: 3100,
  }));
  app.post('/runs', async (_request, reply) => reply.code(202).send({ paid: employees.size }));
  app.get('/feed', async (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    let sent = 0;
    const tick = (): void => void reply.raw.write(`data: {"tick":${++sent}}\n\n`);
    tick();
    const timer = setInterval(tick, 1000);
    reply.raw.on('close', () => clearInterval(timer));
  });
  return { app, listen: async () => void (await listen(app, address)) };
};
