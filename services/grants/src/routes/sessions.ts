/** /sessions: whoever came with an issuer's token ends what goes on in their name, everywhere. */
import { caller } from '@postern/runtime';
import { Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { actorOf, answerChange } from './answer.ts';
import type { RouteDeps } from './deps.ts';

export const sessionRoutes = (app: FastifyInstance, { commands, clock, ...answering }: RouteDeps): void => {
  app.post('/sessions/end', async (request, reply) => {
    const { sub, credential, act } = caller(request);
    if (credential !== undefined || act !== undefined)
      throw new Problem('grants/not-your-decision', {
        detail: credential === undefined ? 'an agent ends no sessions' : 'a key is no session',
        fix: credential === undefined ? 'Let its principal do it.' : 'Revoke the key: postern key revoke.',
      });
    // A token of this very millisecond is one of them.
    const before = new Date(clock.now() + 1).toISOString();
    const done = await commands({
      command: { kind: 'revoke-sessions', principal: sub, before, evenUnknown: true, reason: 'signed out' },
      actor: actorOf(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { principal: sub, before } });
  });
};
