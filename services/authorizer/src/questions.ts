/** `can`, `who` and `what`: the questions of people, with the reasons that a decision alone does not give. */
import type { Clock, Logger } from '@postern/runtime';
import {
  beginning,
  type Context,
  CredentialId,
  type DecisionPoint,
  type Endpoint,
  type Organisation,
  PrincipalId,
  Problem,
} from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { explain } from './explain.ts';
import { linksOf, parseEndpoint, type SearchDeps, what, who } from './search.ts';

export type QuestionsDeps = SearchDeps & {
  readonly decide: DecisionPoint['decide'];
  /** The endpoint that a request would be judged by. */
  readonly match: (organisation: Organisation, method: string, path: string) => Endpoint | undefined;
  readonly clock: Clock;
  readonly log: Logger;
};

const Subject = z.union([PrincipalId, CredentialId], { error: 'write user:NAME, workload:NAME or credential:ID' });
const Can = z.object({
  subject: Subject,
  method: z.string().regex(/^[A-Z]{1,20}$/, 'write a method, for instance GET'),
  path: z.string().startsWith('/', 'write a path, for instance /payroll/employees'),
  ip: z.union([z.ipv4(), z.ipv6()], { error: 'write an IP address' }).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'write an ISO 3166 country code')
    .optional(),
  at: z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant' }).optional(),
});

export const questionRoutes = (app: FastifyInstance, deps: QuestionsDeps): void => {
  const { decide, match, clock, log, projection } = deps;
  app.get('/.postern/can', async ({ query }) => {
    const { subject, method, path, ip, country, at } = Can.parse(query);
    const organisation = projection.organisation();
    const endpoint = match(organisation, method, path);
    if (endpoint === undefined)
      return { decision: 'deny', reason: 'no-such-endpoint', subject, sequence: organisation.sequence };
    const now = new Date(at ?? clock.now());
    now.setUTCMilliseconds(0);
    const context: Context = {
      now: now.toISOString(),
      ...(ip !== undefined && { ip }),
      ...(country !== undefined && { country }),
    };
    const subjects = linksOf(organisation, subject);
    const asked = { subjects, endpoint: endpoint.id, context };
    const explanation = explain(organisation, asked);
    const about = { subject, endpoint: endpoint.id, context };
    if (endpoint.public) return { decision: 'allow', ...about, sequence: organisation.sequence, explanation };
    const [answer] = await decide([{ ...asked, atLeast: beginning }]);
    if (answer === undefined || answer.outcome === 'unavailable')
      throw new Problem(answer?.reason === 'behind' ? 'authorizer/behind' : 'authorizer/engine-unreachable', {
        detail: answer?.reason ?? 'no answer',
      });
    const { outcome, sequence, dependsOn } = answer;
    // The engine decides; a reason that says otherwise would be of another moment, and is no reason.
    if (explanation.outcome !== outcome)
      log.warn({ asked, answer, explanation }, 'the explanation is not of this decision');
    return {
      decision: outcome,
      ...(answer.outcome === 'deny' && { reason: answer.reason }),
      ...about,
      sequence,
      dependsOn,
      ...(explanation.outcome === outcome && { explanation }),
    };
  });
  app.get('/.postern/who', async ({ query }) => {
    const { endpoint } = z.object({ endpoint: z.string() }).parse(query);
    return who(deps, parseEndpoint(endpoint));
  });
  app.get('/.postern/what', async ({ query }) => what(deps, z.object({ subject: Subject }).parse(query).subject));
};
