/** AuthZEN 1.0 over HTTP: a denial is a 200, a request that cannot be read a 400. */
import { describeZod } from '@postern/runtime';
import { authzenBase, Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { ActionSearch, Batch, Evaluation, ResourceSearch, SubjectSearch } from './entities.ts';
import { type EvaluateDeps, evaluateAll, evaluateBatch } from './evaluate.ts';
import { searchActions, searchResources, searchSubjects } from './search.ts';

export const authzenRoutes = (app: FastifyInstance, deps: EvaluateDeps): void => {
  app.addHook('onRequest', async (request, reply) => {
    const id = request.headers['x-request-id'];
    if (id !== undefined && request.url.startsWith(authzenBase)) reply.header('x-request-id', id);
  });
  const single = async (body: unknown) => {
    const [decision] = await evaluateAll(deps, [parse(Evaluation, body)]);
    return { decision: decision === true };
  };
  app.post(`${authzenBase}/evaluation`, (request) => single(request.body));
  app.post(`${authzenBase}/evaluations`, async ({ body }) => {
    // Without evaluations, or with none, it is the single question.
    if (!hasEvaluations(body)) return single(body);
    return { evaluations: await evaluateBatch(deps, parse(Batch, body)) };
  });
  app.post(`${authzenBase}/search/subject`, ({ body }) => searchSubjects(deps, parse(SubjectSearch, body)));
  app.post(`${authzenBase}/search/resource`, ({ body }) => searchResources(deps, parse(ResourceSearch, body)));
  app.post(`${authzenBase}/search/action`, ({ body }) => searchActions(deps, parse(ActionSearch, body)));
};

const hasEvaluations = (body: unknown): boolean => {
  const evaluations = (body as { evaluations?: unknown } | null | undefined)?.evaluations;
  return evaluations !== undefined && !(Array.isArray(evaluations) && evaluations.length === 0);
};

const parse = <Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Problem('authorizer/bad-question', { detail: describeZod(parsed.error) });
};
