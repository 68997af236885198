/** What is live, for whoever looks: the model, names to find things by, and who enforces it. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { EnforcementTimes } from '../enforcement-times.ts';
import { findNames, nameKinds } from '../names.ts';
import type { GrantsState } from '../state.ts';

const Names = z.strictObject({
  text: z.string().trim().min(1, 'write part of a name').max(1_100),
  kind: z.enum(nameKinds).optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'write a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(200))
    .default(20),
});

export type LiveRoutesDeps = {
  readonly state: Pick<GrantsState, 'organisation' | 'rolesFromFiles'>;
  readonly times: EnforcementTimes;
};

export const liveRoutes = (app: FastifyInstance, { state, times }: LiveRoutesDeps): void => {
  app.get('/model', async () => {
    const { sequence, schema, services, roles, grants } = state.organisation;
    const holders = new Map<string, number>();
    for (const { role } of grants.values()) holders.set(role, (holders.get(role) ?? 0) + 1);
    return {
      sequence,
      schema: schema ?? null,
      services: [...services.values()],
      roles: [...roles].map(([role, rules]) => ({
        role,
        ...rules,
        grants: holders.get(role) ?? 0,
        fromFiles: state.rolesFromFiles.has(role),
      })),
    };
  });

  app.get('/names', async (request) => {
    const { text, kind, limit } = Names.parse(request.query);
    return { sequence: state.organisation.sequence, ...findNames(state.organisation, text, { kind, limit }) };
  });

  app.get('/enforcement', async () => ({ sequence: state.organisation.sequence, ...times.shown() }));
};
