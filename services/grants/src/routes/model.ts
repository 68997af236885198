/** /model: what a pipeline publishes, all or nothing. */
import { Endpoint, Provenance, type RoleName, type RoleRules, RolesYaml, ServiceName } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type PublishDeps, publish } from '../publish.ts';
import { actorOf, answerChange, idempotency } from './answer.ts';
import type { RouteDeps } from './deps.ts';

const Body = z.strictObject({
  schema: z.string().min(1),
  services: z.array(z.strictObject({ name: ServiceName, mount: z.string(), endpoints: z.array(Endpoint) })),
  roles: RolesYaml,
  ...Provenance.shape,
  /** Retire roles that came from files before and that no file names now. */
  retireRoles: z.boolean().optional(),
});

export const modelRoutes = (
  app: FastifyInstance,
  { commands, state, checkSchema, ...answering }: RouteDeps & Pick<PublishDeps, 'checkSchema'>,
): void => {
  app.post('/model', async (request, reply) => {
    const { schema, services, roles, retireRoles, commit, author } = Body.parse(request.body);
    const { done, left } = await publish(
      { commands, state, checkSchema },
      { schema, services, roles: new Map(Object.entries(roles) as [RoleName, RoleRules][]) },
      { actor: actorOf(request), provenance: { commit, author }, retireRoles, ...idempotency(request) },
    );
    const named = <Type extends string>(type: Type) =>
      done.facts.flatMap((fact) => (fact.type === `postern.${type}.v1` ? (fact.subject ?? []) : []));
    return answerChange(request, reply, answering, {
      status: 200,
      done,
      body: {
        facts: done.facts.length,
        schema: named('schema.published').length > 0 ? 'changed' : 'unchanged',
        services: [...new Set(named('routes.published'))],
        defined: named('role.defined'),
        changed: named('role.changed'),
        retired: named('role.retired'),
        ...(retireRoles !== true && left.length > 0 && { left }),
      },
    });
  });
};
