/** /reviews: open a campaign, decide, close, and show what became of it. */
import { caller } from '@postern/runtime';
import {
  Duration,
  durationMs,
  type GrantId as Grant,
  GrantId,
  grantsInScope,
  Problem,
  Reviewer,
  ReviewId,
  ReviewScope,
} from '@postern/schemas';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { decidesForOneself } from '../decide/approvers.ts';
import { mayDecideAs, openItems } from '../decide/reviews.ts';
import type { UsageRecord } from '../reports/record.ts';
import { opened, type Uses, usesOf } from '../reports/use.ts';
import { decidingOf } from '../requests/deciding.ts';
import { actorOf, answerChange, factOf, idempotency } from '../routes/answer.ts';
import type { RouteDeps } from '../routes/deps.ts';
import { itemShown, summaryOf } from './items.ts';

const reason = z.string().trim().min(1, 'say why').max(2000);
const Body = z.strictObject({
  title: z.string().trim().min(1).max(200),
  scope: ReviewScope.default({}),
  reviewer: Reviewer.default('manager'),
  /** The caller, where nobody is named. */
  escalateTo: z
    .string()
    .regex(/^(user|role):\S{1,512}$/, 'write user:NAME or role:NAME')
    .optional(),
  dueIn: Duration.default('14d'),
  undecided: z.enum(['keep', 'revoke']),
});
const Decisions = z.strictObject({
  decisions: z
    .array(
      z.strictObject({
        grant: GrantId,
        decision: z.enum(['keep', 'revoke', 'shorten']),
        until: z.iso.datetime({ offset: true }).optional(),
      }),
    )
    .min(1)
    .max(400),
  reason,
});
const Page = z.looseObject({
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
  from: z.coerce.number().int().min(0).default(0),
  only: z.enum(['open', 'decided', 'revoked']).optional(),
});
type Named = { Params: { review: string } };

export const reviewRoutes = (
  app: FastifyInstance,
  { commands, state, clock, record, ...answering }: RouteDeps & { readonly record: UsageRecord },
): void => {
  const { organisation } = state;
  const found = (text: string) => {
    const review = organisation.life.reviews.get(ReviewId.parse(text));
    if (review === undefined) throw new Problem('grants/unknown-review', { detail: `there is no campaign ${text}` });
    return review;
  };
  const uses = async (request: FastifyRequest): Promise<Uses> =>
    usesOf(organisation, await record.lastUses(request, {}));

  app.post('/reviews', async (request, reply) => {
    const { dueIn, escalateTo = caller(request).sub, ...body } = Body.parse(request.body);
    const only =
      body.scope.unusedFor === undefined ? undefined : await unused(request, body.scope, body.scope.unusedFor);
    const due = new Date(clock.now() + durationMs(dueIn)).toISOString();
    const done = await commands({
      command: { kind: 'open-review', ...body, escalateTo, due, only },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const data = factOf(done, 'postern.review.opened.v1')?.data;
    return answerChange(request, reply, answering, {
      status: 201,
      done,
      body: { id: data?.review, items: data?.items, frozenAt: data?.frozenAt, due: data?.due },
    });
  });

  const unused = async (
    request: FastifyRequest,
    scope: ReviewScope,
    unusedFor: string,
  ): Promise<ReadonlySet<Grant>> => {
    const used = await uses(request);
    const before = new Date(clock.now() - durationMs(unusedFor)).toISOString();
    return new Set(
      [...grantsInScope(organisation, scope)].flatMap((grant) => {
        const last = used.ofGrant(grant);
        return grant.issued <= before && last !== 'unknown' && (last ?? '') <= before ? [grant.id] : [];
      }),
    );
  };

  app.get('/reviews', async () => ({
    sequence: organisation.sequence,
    items: organisation.life.reviews.all().map((review) => summaryOf(organisation, review)),
  }));

  app.get('/reviews/mine', async (request) => {
    const deciding = decidingOf(request);
    const now = new Date(clock.now()).toISOString();
    const mine = organisation.life.reviews.all().flatMap((review) => {
      if (review.closed !== undefined || decidesForOneself(organisation, deciding, [])) return [];
      const items = openItems(organisation, review).filter(
        (item) => mayDecideAs(organisation, review, item, deciding.principal, now) !== undefined,
      );
      return items.length === 0 ? [] : [{ review, items }];
    });
    const used = mine.length === 0 ? undefined : await uses(request);
    return {
      sequence: organisation.sequence,
      items: mine.map(({ review, items }) => ({
        ...summaryOf(organisation, review),
        mine: items.map((item) => itemShown(organisation, review, item, used)),
      })),
    };
  });

  app.get<Named>('/reviews/:review', async (request) => {
    const review = found(request.params.review);
    const { limit, from, only } = Page.parse(request.query);
    const all = [...review.items.values()].filter(({ decided, revocation }) =>
      only === undefined
        ? true
        : only === 'open'
          ? decided === undefined
          : only === 'decided'
            ? decided !== undefined
            : revocation !== undefined,
    );
    const page = all.slice(from, from + limit);
    const used = await uses(request);
    const grants = [];
    for (const item of page) {
      const { subject, role } = item.grant;
      const revoked = item.revocation;
      const refused =
        revoked === undefined || subject.startsWith('group:')
          ? undefined
          : await record.firstRefusal(request, {
              subject,
              sequence: revoked.at,
              endpoints: opened(organisation, role) ?? new Set(),
            });
      const firstRefusal = refused && { decision: refused.id, at: refused.at, endpoint: refused.endpoint };
      const shown = itemShown(organisation, review, item, used);
      grants.push(revoked ? { ...shown, revocation: { ...revoked, ...(firstRefusal && { firstRefusal }) } } : shown);
    }
    const next = from + limit < all.length ? from + limit : null;
    return { ...summaryOf(organisation, review), sequence: organisation.sequence, grants, next };
  });

  app.post<Named>('/reviews/:review/decisions', async (request, reply) => {
    const review = ReviewId.parse(request.params.review);
    const body = Decisions.parse(request.body ?? {});
    const done = await commands({
      command: { kind: 'decide-review', review, deciding: decidingOf(request), ...body },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, {
      status: 200,
      done,
      body: { id: review, decided: body.decisions.length },
    });
  });

  app.post<Named>('/reviews/:review/close', async (request, reply) => {
    const review = ReviewId.parse(request.params.review);
    const why = z.strictObject({ reason: reason.optional() }).parse(request.body ?? {}).reason;
    for (;;) {
      const done = await commands({
        command: { kind: 'close-review', review, reason: why ?? 'undecided when the review was closed' },
        actor: actorOf(request),
      });
      const closed = factOf(done, 'postern.review.closed.v1')?.data;
      if (closed !== undefined) {
        const { kept, revoked, shortened, gone } = closed;
        return answerChange(request, reply, answering, {
          status: 200,
          done,
          body: { id: review, kept, revoked, shortened, gone },
        });
      }
    }
  });
};
