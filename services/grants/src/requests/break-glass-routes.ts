/** /breakglass: take a role at once; give it back; look at what somebody else took. */
import { caller } from '@postern/runtime';
import { BreakGlassId, type BreakGlassUse, Duration, RoleName } from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { breakGlassReviewers, decidesForOneself } from '../decide/approvers.ts';
import { reviewsAs } from '../decide/break-glass.ts';
import { actorOf, answerChange, factOf, idempotency } from '../routes/answer.ts';
import type { RouteDeps } from '../routes/deps.ts';
import { decidingOf } from './deciding.ts';

const reason = z.string().trim().min(1, 'say why').max(2000);
const Body = z.strictObject({
  role: RoleName,
  duration: Duration.optional(),
  reason,
  ticket: z.string().min(1).max(200).optional(),
});
const MaybeWhy = z.strictObject({ reason: reason.optional() });
const Verdict = z.strictObject({ verdict: z.enum(['justified', 'unjustified']), reason });
const Filter = z.looseObject({ unreviewed: z.enum(['true', 'false']).optional() });
type Named = { Params: { use: string } };

export const breakGlassRoutes = (app: FastifyInstance, { commands, state, clock, ...answering }: RouteDeps): void => {
  const shown = (use: BreakGlassUse) => ({
    ...use,
    live: state.organisation.grants.has(use.grant),
    ...(use.review === undefined && { reviewers: breakGlassReviewers(state.organisation.roles.get(use.role)) }),
  });

  app.post('/breakglass', async (request, reply) => {
    const done = await commands({
      command: { kind: 'open-break-glass', deciding: decidingOf(request), ...Body.parse(request.body) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const opened = factOf(done, 'postern.breakglass.opened.v1')?.data;
    return answerChange(request, reply, answering, {
      status: 201,
      done,
      body: { id: opened?.use, role: opened?.role, grant: opened?.grant, until: opened?.until },
    });
  });

  app.get('/breakglass', async (request) => {
    const { unreviewed } = Filter.parse(request.query);
    const { breakGlass } = state.organisation.life;
    const items = unreviewed === 'true' ? breakGlass.unreviewed() : breakGlass.all();
    return { sequence: state.organisation.sequence, items: items.map(shown) };
  });

  app.get('/breakglass/mine', async (request) => {
    const { organisation } = state;
    const deciding = decidingOf(request);
    const now = new Date(clock.now()).toISOString();
    const all = organisation.life.breakGlass.all();
    return {
      sequence: organisation.sequence,
      used: all.filter(({ subject }) => subject === deciding.principal).map(shown),
      toReview: all
        .filter(
          (use) =>
            use.review === undefined &&
            !decidesForOneself(organisation, deciding, [use.subject]) &&
            reviewsAs(organisation, use, deciding.principal, now) !== undefined,
        )
        .map(shown),
    };
  });

  app.post<Named>('/breakglass/:use/close', async (request, reply) => {
    const use = BreakGlassId.parse(request.params.use);
    const by = caller(request).sub;
    const done = await commands({
      command: { kind: 'close-break-glass', use, by, ...MaybeWhy.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id: use } });
  });

  app.post<Named>('/breakglass/:use/review', async (request, reply) => {
    const use = BreakGlassId.parse(request.params.use);
    const body = Verdict.parse(request.body ?? {});
    const done = await commands({
      command: { kind: 'review-break-glass', use, deciding: decidingOf(request), ...body },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id: use, verdict: body.verdict } });
  });
};
