/** /roles: define, change, retire. */
import { Problem, RoleName, RoleRules } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { actorOf, answerChange, idempotency } from './answer.ts';
import type { RouteDeps } from './deps.ts';

type Named = { Params: { role: string } };

export const roleRoutes = (app: FastifyInstance, { commands, state, ...answering }: RouteDeps): void => {
  app.get('/roles', async () => ({
    sequence: state.organisation.sequence,
    items: [...state.organisation.roles].map(([role, rules]) => ({ role, ...rules })),
  }));

  app.get<Named>('/roles/:role', async (request) => {
    const role = RoleName.parse(request.params.role);
    const rules = state.organisation.roles.get(role);
    if (rules === undefined) throw new Problem('runtime/not-found', { detail: `the role ${role} is not defined` });
    return { role, ...rules, sequence: state.organisation.sequence };
  });

  app.put<Named>('/roles/:role', async (request, reply) => {
    const role = RoleName.parse(request.params.role);
    const rules = RoleRules.parse(request.body);
    const existed = state.organisation.roles.has(role);
    const done = await commands({
      command: { kind: 'define-role', role, rules },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: existed ? 200 : 201, done, body: { role } });
  });

  app.delete<Named>('/roles/:role', async (request, reply) => {
    const role = RoleName.parse(request.params.role);
    const done = await commands({
      command: { kind: 'retire-role', role },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { role } });
  });
};
