/** /principals: what is known of one, and what it holds, directly and through groups. */
import { PrincipalId, Problem, type SubjectId } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import type { RouteDeps } from './deps.ts';

export const principalRoutes = (app: FastifyInstance, { state }: RouteDeps): void => {
  app.get<{ Params: { principal: string } }>('/principals/:principal', async (request) => {
    const id = PrincipalId.parse(request.params.principal);
    const { organisation } = state;
    const principal = organisation.principals.get(id);
    if (principal === undefined) throw new Problem('runtime/not-found', { detail: `${id} is not known here` });
    const groups = [...organisation.groups.around(id)];
    const { joined, leftBy, ...known } = principal;
    return {
      ...known,
      joined: new Date(joined.effective).toISOString(),
      ...(leftBy.length > 0 && { leftBy }),
      groups,
      grants: [
        organisation.grantsOf(id),
        ...groups.map((group) => organisation.grantsOf(`${group}#member` as SubjectId)),
      ].flat(),
      keys: organisation.credentialsOf(id).map(({ digest: _, ...key }) => key),
      sequence: organisation.sequence,
    };
  });
};
