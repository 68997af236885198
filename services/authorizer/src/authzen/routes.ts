/** AuthZEN 1.0 over HTTP: a denial is a 200, a request that cannot be read a 400. */
import { caller, describeZod } from '@postern/runtime';
import { authzenBase, decodeId, Problem } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
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
  // Whoever asks about themselves needs no grant for it: the gate would tell them at each call.
  app.post(`${authzenBase}/mine`, async (request) => {
    const { endpoints } = parse(Mine, request.body);
    const { sub, credential, act } = caller(request);
    const subjects = [credential ?? sub, ...actors(act)].map(entityOf);
    const questions = endpoints.flatMap((id) =>
      subjects.map((subject) => ({ subject, action: { name: 'call' }, resource: { type: 'endpoint', id } })),
    );
    const held = await evaluateAll(deps, questions);
    return {
      allowed: endpoints.filter((_, at) =>
        held.slice(at * subjects.length, (at + 1) * subjects.length).every((each) => each),
      ),
    };
  });
  app.post(`${authzenBase}/search/subject`, ({ body }) => searchSubjects(deps, parse(SubjectSearch, body)));
  app.post(`${authzenBase}/search/resource`, ({ body }) => searchResources(deps, parse(ResourceSearch, body)));
  app.post(`${authzenBase}/search/action`, ({ body }) => searchActions(deps, parse(ActionSearch, body)));
};

const Mine = z.strictObject({ endpoints: z.array(z.string().min(1).max(600)).max(200) });
/** Ids in the gate's assertion are encoded already, and AuthZEN's are not. */
const entityOf = (name: string): { readonly type: string; readonly id: string } => {
  const at = name.indexOf(':');
  return { type: name.slice(0, at), id: decodeId(name.slice(at + 1)) };
};
/** RFC 8693: whoever acts for the caller narrows what they may; one that cannot be read may nothing. */
const actors = (act: unknown): readonly string[] => {
  if (act === undefined) return [];
  const { sub, act: further } = (act ?? {}) as { sub?: unknown; act?: unknown };
  return [typeof sub === 'string' ? sub : 'nobody:nobody', ...actors(further)];
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
