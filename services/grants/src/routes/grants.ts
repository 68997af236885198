/** /grants: give, list, take back. */
import { Conditions, GrantId, RoleName, type Sequence, SubjectId } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { actorOf, answerChange, factOf, idempotency } from './answer.ts';
import type { RouteDeps } from './deps.ts';

const Body = z.strictObject({
  subject: SubjectId,
  role: RoleName,
  conditions: Conditions.optional(),
  reason: z.string().trim().min(1, 'say why').max(2000),
  ticket: z.string().min(1).max(200).optional(),
});
const Why = z.strictObject({
  reason: z.string().trim().min(1, 'say why').max(2000),
  ticket: z.string().min(1).max(200).optional(),
});
const Filter = z.looseObject({ subject: SubjectId.optional(), role: RoleName.optional() });

export const grantRoutes = (app: FastifyInstance, { commands, state, ...answering }: RouteDeps): void => {
  app.post('/grants', async (request, reply) => {
    const body = Body.parse(request.body);
    const done = await commands({
      command: { kind: 'issue-grant', ...body },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const issued = factOf(done, 'postern.grant.issued.v1');
    return answerChange(request, reply, answering, { status: 201, done, body: { id: issued?.data.grant, ...body } });
  });

  app.delete<{ Params: { grant: string } }>('/grants/:grant', async (request, reply) => {
    const grant = GrantId.parse(request.params.grant);
    const done = await commands({
      command: { kind: 'revoke-grant', grant, ...Why.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id: grant } });
  });

  app.get('/grants', async (request) => {
    const { subject, role } = Filter.parse(request.query);
    const live = subject === undefined ? [...state.organisation.grants.values()] : state.organisation.grantsOf(subject);
    return {
      sequence: state.organisation.sequence satisfies Sequence,
      items: live.filter((grant) => role === undefined || grant.role === role),
    };
  });
};
