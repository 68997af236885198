/** For tests: one of each kind of fact about the life of access, in a history that gives the names. */
import type { FactDraft, FactType } from '../../facts/fact.ts';
import type {
  BreakGlassId,
  CredentialId,
  GrantId,
  PrincipalId,
  RequestId,
  ReviewId,
  RoleName,
  SubjectId,
} from '../../ids.ts';

type Data = { readonly [Type in FactType]: Extract<FactDraft, { type: Type }>['data'] };

export const lifeData = (
  id: string,
  before: string,
  person: PrincipalId,
  role: RoleName,
  grant: GrantId,
  credential: CredentialId,
  time: string,
) => {
  const reason = 'a test';
  const subject = person;
  const holder = person as unknown as SubjectId;
  const request = before as RequestId;
  const use = before as BreakGlassId;
  const review = before as ReviewId;
  const answer = { request, subject, role, by: 'user:zoe' as PrincipalId, as: 'manager' };
  return {
    'postern.grant.requested.v1': {
      request: id as RequestId,
      subject,
      role,
      requester: person,
      duration: '8h',
      reason,
      answerBy: time,
    },
    'postern.grant.approved.v1': answer,
    'postern.grant.denied.v1': { ...answer, reason },
    'postern.grant.withdrawn.v1': { request, subject, role },
    'postern.grant.unanswered.v1': { request, subject, role, answerBy: time },
    'postern.birthright.withheld.v1': { principal: person, role, because: 'revoked', reason },
    'postern.breakglass.opened.v1': {
      use: id as BreakGlassId,
      subject,
      role,
      grant,
      as: 'role:keeper',
      until: time,
      reason,
    },
    'postern.breakglass.closed.v1': { use, subject, role, because: 'ran-out' },
    'postern.breakglass.reviewed.v1': { ...answerOf(answer), use, verdict: 'justified', reason },
    'postern.review.opened.v1': {
      review: id as ReviewId,
      title: reason,
      scope: {},
      frozenAt: 1,
      reviewer: 'manager',
      escalateTo: 'user:zoe',
      reminds: time,
      escalates: time,
      due: time,
      undecided: 'keep',
      items: 1,
    },
    'postern.review.listed.v1': { review, grants: [grant] },
    'postern.review.decided.v1': {
      review,
      grant,
      subject: holder,
      role,
      decision: 'keep',
      by: 'policy',
      as: 'undecided',
      reason,
    },
    'postern.review.reminded.v1': { review, reviewer: 'user:zoe', open: 1 },
    'postern.review.escalated.v1': { review, to: 'user:zoe', open: 1 },
    'postern.review.closed.v1': { review, kept: 1, revoked: 0, shortened: 0, gone: 0 },
    'postern.credential.rotated.v1': { credential, successor: credential, until: time, reason },
    'postern.credential.expired.v1': { credential, until: time },
  } as const satisfies Partial<Data>;
};

const answerOf = ({ request: _, ...answer }: { readonly request: RequestId } & Record<string, unknown>) =>
  answer as { subject: PrincipalId; role: RoleName; by: PrincipalId; as: string };
