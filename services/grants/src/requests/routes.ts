/** /requests: ask for a role; say yes or no; take it back. */
import { caller } from '@postern/runtime';
import {
  type AccessRequest,
  Duration,
  GrantId,
  type Organisation,
  PrincipalId,
  Problem,
  RequestId,
  RoleName,
} from '@postern/schemas';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { asApprover, decidesForOneself, ruleOf } from '../decide/approvers.ts';
import { actorOf, answerChange, factOf, idempotency } from '../routes/answer.ts';
import type { RouteDeps } from '../routes/deps.ts';
import { askableBy } from './askable.ts';
import { decidingOf } from './deciding.ts';

const reason = z.string().trim().min(1, 'say why').max(2000);
const ticket = z.string().min(1).max(200).optional();
const Body = z.strictObject({
  /** The caller, where nobody is named. */
  subject: PrincipalId.optional(),
  role: RoleName.optional(),
  /** A grant that is to last longer; its role is the role then. */
  extends: GrantId.optional(),
  duration: Duration.optional(),
  reason,
  ticket,
});
const Why = z.strictObject({ reason });
const MaybeWhy = z.strictObject({ reason: reason.optional() });
const Filter = z.looseObject({
  state: z.enum(['open', 'granted', 'denied', 'withdrawn', 'unanswered']).optional(),
  subject: PrincipalId.optional(),
});
type Named = { Params: { request: string } };

export const requestRoutes = (app: FastifyInstance, { commands, state, clock, ...answering }: RouteDeps): void => {
  const now = (): string => new Date(clock.now()).toISOString();

  app.post('/requests', async (request, reply) => {
    const { subject = caller(request).sub, role: named, extends: longer, ...body } = Body.parse(request.body);
    const old = longer === undefined ? undefined : state.organisation.grants.get(longer);
    const role = named ?? old?.role;
    if (role === undefined)
      throw longer === undefined
        ? new Problem('grants/bad-request', { detail: 'name a role, or the grant to extend' })
        : new Problem('grants/unknown-grant', {
            detail: `no live grant has the id ${longer}`,
            fix: 'Ask for the role anew.',
          });
    const done = await commands({
      command: { kind: 'ask-for-role', subject, role, requester: caller(request).sub, extends: longer, ...body },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const asked = factOf(done, 'postern.grant.requested.v1')?.data;
    return answerChange(request, reply, answering, {
      status: 201,
      done,
      body: {
        id: asked?.request,
        subject,
        role,
        duration: asked?.duration,
        answerBy: asked?.answerBy,
        approvers: ruleOf(state.organisation.roles.get(role) ?? { allows: [] }),
      },
    });
  });

  app.get('/requests', async (request) => {
    const { state: wanted, subject } = Filter.parse(request.query);
    const items = state.organisation.life.requests
      .all()
      .filter(
        (each) =>
          (wanted === undefined || each.state === wanted) && (subject === undefined || each.subject === subject),
      );
    return { sequence: state.organisation.sequence, items: items.map((each) => shown(state.organisation, each)) };
  });

  app.get('/requests/mine', async (request) => {
    const { organisation } = state;
    const deciding = decidingOf(request);
    const me = deciding.principal;
    const all = organisation.life.requests.all();
    const waiting = all.filter((each) => {
      const { subject, requester, role, approvals } = each;
      if (each.state !== 'open' || approvals.some(({ by }) => by === me)) return false;
      if (decidesForOneself(organisation, deciding, [subject, requester])) return false;
      const rule = ruleOf(organisation.roles.get(role) ?? { allows: [] });
      return asApprover(organisation, rule, me, { subject: subject as never, role }, now()).length > 0;
    });
    return {
      sequence: organisation.sequence,
      asked: all
        .filter(({ subject, requester }) => subject === me || requester === me)
        .map((each) => shown(organisation, each)),
      toApprove: waiting.map((each) => shown(organisation, each)),
    };
  });

  app.get('/requests/askable', async (request) => {
    const { organisation } = state;
    const at = now();
    const circumstances = {
      now: at,
      occurred: at,
      actor: actorOf(request),
      newId: () => 'not-written',
      correlation: '',
    };
    return { sequence: organisation.sequence, items: askableBy(organisation, decidingOf(request), circumstances) };
  });

  app.get<Named>('/requests/:request', async (request) => {
    const id = RequestId.parse(request.params.request);
    const found = state.organisation.life.requests.get(id);
    if (found === undefined) throw new Problem('grants/unknown-request', { detail: `there is no request ${id}` });
    return { ...shown(state.organisation, found), sequence: state.organisation.sequence };
  });

  app.post<Named>('/requests/:request/approve', async (request, reply) => {
    const id = RequestId.parse(request.params.request);
    const done = await commands({
      command: {
        kind: 'approve-request',
        request: id,
        deciding: decidingOf(request),
        ...MaybeWhy.parse(request.body ?? {}),
      },
      actor: actorOf(request),
      ...idempotency(request),
    });
    const issued = factOf(done, 'postern.grant.issued.v1')?.data;
    return answerChange(request, reply, answering, {
      status: 200,
      done,
      body: {
        id,
        state: state.organisation.life.requests.get(id)?.state,
        ...(issued && { grant: issued.grant, until: issued.conditions?.until, approvals: issued.approvals }),
      },
    });
  });

  app.post<Named>('/requests/:request/deny', async (request, reply) => {
    const id = RequestId.parse(request.params.request);
    const done = await commands({
      command: { kind: 'deny-request', request: id, deciding: decidingOf(request), ...Why.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id, state: 'denied' } });
  });

  app.post<Named>('/requests/:request/withdraw', async (request, reply) => {
    const id = RequestId.parse(request.params.request);
    const by = caller(request).sub;
    const done = await commands({
      command: { kind: 'withdraw-request', request: id, by, ...MaybeWhy.parse(request.body ?? {}) },
      actor: actorOf(request),
      ...idempotency(request),
    });
    return answerChange(request, reply, answering, { status: 200, done, body: { id, state: 'withdrawn' } });
  });
};

/** With the rule as it is now, so that whoever asked knows whom to turn to. */
const shown = ({ roles }: Organisation, request: AccessRequest) => ({
  ...request,
  ...(request.state === 'open' && { rule: ruleOf(roles.get(request.role) ?? { allows: [] }) }),
});
