/** `can`, `who` and `what`: the questions of people, with the reasons that a decision alone does not give. */
import type { Clock, Logger } from '@postern/runtime';
import { type Context, CredentialId, type DecisionPoint, PrincipalId, type Sequence } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { MatchPath } from './authzen/to-check.ts';
import { type About, isNamed, type Judged, judgeCall } from './judged-call.ts';
import { parseEndpoint, type SearchDeps, what, who } from './search.ts';

export type QuestionsDeps = SearchDeps & {
  readonly decide: DecisionPoint['decide'];
  /** The endpoint that a request would be judged by. */
  readonly match: MatchPath;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Logger, 'warn'>;
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
  acr: z.string().min(1).optional(),
  /** Parted by commas. */
  amr: z.string().min(1).optional(),
  at: z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant' }).optional(),
  /** One of the operations that share the path: `query.viewer`, `tool.search`, or an endpoint's id. */
  operation: z.string().min(1).max(600).optional(),
  /** Of a delegated token, parted by commas; without it the token is not delegated. */
  scopes: z.string().max(4_000).optional(),
});

export type CanAnswer = Omit<Judged, 'endpoint' | 'context'> &
  Partial<Pick<Judged, 'endpoint' | 'context'>> & { readonly operations?: readonly Judged[] };

/** Throws a ZodError on a query that cannot be read. */
export const can = async (deps: QuestionsDeps, query: unknown): Promise<CanAnswer> => {
  const { match, clock, projection } = deps;
  const asked = Can.parse(query);
  const { subject, method, path, at, operation, scopes } = asked;
  const organisation = projection.organisation();
  const matched = match(organisation, method, path);
  const context = contextOf(asked, new Date(at ?? clock.now()));
  const about: About = {
    subject,
    context,
    ...(scopes !== undefined && { scopes: scopes.split(',').filter(Boolean) }),
  };
  const nowhere: CanAnswer = { decision: 'deny', reason: 'no-such-endpoint', subject, sequence: organisation.sequence };
  if (matched === undefined) return nowhere;
  const { endpoint, operations = [] } = matched;
  if (operation !== undefined) {
    const named = [endpoint, ...operations].find((each) => isNamed(each, operation));
    return named === undefined ? nowhere : judgeCall(deps, about, { endpoint: named, parameters: matched.parameters });
  }
  // The stream of an MCP server, which its method alone names, is one operation as any other endpoint is.
  const [only] = operations;
  if (only === undefined || operations.length === 1) return judgeCall(deps, about, matched);
  const judged = await Promise.all(
    operations.map((each) => judgeCall(deps, about, { endpoint: each, parameters: matched.parameters })),
  );
  const refused = judged.find(({ decision }) => decision !== 'allow');
  return {
    decision: refused?.decision ?? 'allow',
    ...(refused?.reason !== undefined && { reason: refused.reason }),
    subject,
    context,
    sequence: Math.min(...judged.map(({ sequence }) => sequence)) as Sequence,
    operations: judged,
  };
};

export const questionRoutes = (app: FastifyInstance, deps: QuestionsDeps): void => {
  app.get('/.postern/can', ({ query }) => can(deps, query));
  app.get('/.postern/who', async ({ query }) => {
    const { endpoint } = z.object({ endpoint: z.string() }).parse(query);
    return who(deps, parseEndpoint(endpoint));
  });
  app.get('/.postern/what', async ({ query }) => what(deps, z.object({ subject: Subject }).parse(query).subject));
};

const contextOf = ({ ip, country, acr, amr }: z.infer<typeof Can>, now: Date): Context => {
  now.setUTCMilliseconds(0);
  return {
    now: now.toISOString(),
    ...(ip !== undefined && { ip }),
    ...(country !== undefined && { country }),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr: [...new Set(amr.split(','))].sort() }),
  };
};
