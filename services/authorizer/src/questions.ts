/** `can`, `who` and `what`: the questions of people, with the reasons that a decision alone does not give. */
import type { Clock, Logger } from '@postern/runtime';
import {
  beginning,
  type Context,
  CredentialId,
  type DecisionPoint,
  type ObjectQuestion,
  objectsOf,
  PrincipalId,
  Problem,
} from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { MatchPath } from './authzen/to-check.ts';
import { explain } from './explain.ts';
import { linksOf, parseEndpoint, type SearchDeps, what, who } from './search.ts';

export type QuestionsDeps = SearchDeps & {
  readonly decide: DecisionPoint['decide'];
  /** The endpoint that a request would be judged by. */
  readonly match: MatchPath;
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
  acr: z.string().min(1).optional(),
  /** Parted by commas. */
  amr: z.string().min(1).optional(),
  at: z.iso.datetime({ offset: true, error: 'write an RFC 3339 instant' }).optional(),
});

export const questionRoutes = (app: FastifyInstance, deps: QuestionsDeps): void => {
  const { decide, match, clock, log, projection } = deps;
  app.get('/.postern/can', async ({ query }) => {
    const { subject, method, path, ip, country, acr, amr, at } = Can.parse(query);
    const organisation = projection.organisation();
    const matched = match(organisation, method, path);
    if (matched === undefined)
      return { decision: 'deny', reason: 'no-such-endpoint', subject, sequence: organisation.sequence };
    const { endpoint } = matched;
    const named = objectsOf(matched);
    if (named.outcome !== 'named')
      throw new Problem('authorizer/bad-question', { detail: `the path names no object: ${named.why}` });
    const objects = named.objects.length > 0 ? { objects: named.objects } : {};
    const now = new Date(at ?? clock.now());
    now.setUTCMilliseconds(0);
    const context: Context = {
      now: now.toISOString(),
      ...(ip !== undefined && { ip }),
      ...(country !== undefined && { country }),
      ...(acr !== undefined && { acr }),
      ...(amr !== undefined && { amr: [...new Set(amr.split(','))].sort() }),
    };
    const subjects = linksOf(organisation, subject);
    const asked = { subjects, endpoint: endpoint.id, ...objects, context };
    const related = await relatedBy(deps, subjects, named.objects, context);
    const explanation = explain(organisation, { ...asked, related });
    const about = { subject, endpoint: endpoint.id, ...objects, context };
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

/** Who of the subjects holds which object by relationships of the object alone. */
const relatedBy = async (
  { engine, projection }: SearchDeps,
  subjects: readonly string[],
  objects: readonly ObjectQuestion[],
  context: Context,
): Promise<(subject: string, object: ObjectQuestion) => boolean> => {
  const items = subjects.flatMap((subject) => objects.map((object) => ({ ...object, subject, context })));
  const verdicts = items.length === 0 ? [] : await engine.check(items, projection.reached()?.zookie);
  return (subject, { resource, permission }) =>
    items.some(
      (item, at) =>
        item.subject === subject &&
        item.resource === resource &&
        item.permission === permission &&
        verdicts[at]?.verdict === 'has',
    );
};
