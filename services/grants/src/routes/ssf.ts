/** /ssf: security events by push (RFC 8935), and how the transmitters’ streams are. */
import { Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import type { Receiver } from '../signals/receiver.ts';
import type { Streams } from '../signals/streams.ts';
import type { SetError } from '../signals/verify.ts';
import { type Answering, actorOf, Wait } from './answer.ts';

export type SsfRouteDeps = Answering & { readonly receiver: Receiver; readonly streams: Streams };

export const ssfRoutes = (app: FastifyInstance, { receiver, streams, enforcer }: SsfRouteDeps): void => {
  void app.register(async (push) => {
    push.removeAllContentTypeParsers();
    push.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    push.post('/ssf/push', async (request, reply) => {
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
      const refused = (error: SetError) =>
        reply.code(400).header('content-language', 'en').type('application/json').send(error);
      if (type !== 'application/secevent+jwt')
        return refused({ err: 'invalid_request', description: 'the content type is application/secevent+jwt' });
      const waits = Wait.parse(request.query).wait === 'enforced';
      const token = typeof request.body === 'string' ? request.body.trim() : '';
      const delivered = await receiver.receive(token, actorOf(request));
      if (delivered.outcome === 'refused') return refused(delivered.error);
      if (waits && delivered.sequence !== undefined) {
        const enforced = await enforcer.enforced(delivered.sequence);
        if (enforced.outcome === 'not-yet')
          throw new Problem('grants/not-enforced-yet', {
            detail: `the change has sequence ${delivered.sequence}; not confirmed by ${enforced.waitingFor.join(', ')}`,
            fix: 'The change stands and will be enforced; send the event again to wait longer.',
          });
      }
      return reply.code(202).send();
    });
  });

  app.get('/ssf/streams', async () => ({ items: streams.all() }));
  app.post<{ Params: { name: string } }>('/ssf/streams/:name/verify', async (request) =>
    streams.verify(request.params.name),
  );
};
