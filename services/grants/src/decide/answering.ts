/** By the role's rule somebody else says yes or no. Every yes is judged on the state at the head. */
import {
  type AccessRequest,
  type Conditions,
  durationMs,
  type Grant,
  type GrantId,
  type Organisation,
  type RequestId,
  type RoleRules,
  type SubjectId,
} from '@postern/schemas';
import { asApprover, decidesForOneself, ruleOf, ruleText, suffice } from './approvers.ts';
import { longestDuration, notToExtend } from './asking.ts';
import type { Circumstances, Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused, wholeSecond } from './drafts.ts';
import { conflictOfDuties } from './duties.ts';
import { tooMany, unknownRole, unknownSubject } from './grants.ts';

export const approveRequest: Decider<'approve-request'> = ({ request: id, deciding, reason }, organisation, at) => {
  const request = openRequest(organisation, id, at);
  if ('outcome' in request) return request;
  const as = decidesAs(organisation, request, deciding, at);
  if (typeof as !== 'string') return as;
  if (request.approvals.some(({ by }) => by === deciding.principal)) return nothing;
  const { role } = request;
  const subject = request.subject as unknown as SubjectId;
  const old = request.extends === undefined ? undefined : organisation.grants.get(request.extends);
  const refusal =
    unknownSubject(organisation, subject) ??
    unknownRole(organisation, role) ??
    (request.extends === undefined ? undefined : notToExtend(old, request, at)) ??
    conflictOfDuties(organisation, subject, role);
  if (refusal) return refusal;
  const approved = draft(
    'postern.grant.approved.v1',
    request.subject,
    { request: id, subject: request.subject, role, by: deciding.principal, as, ...because(reason) },
    at,
  );
  // Under the rule as it is now: an approver who has lost that office meanwhile no longer counts.
  const rule = ruleOf(organisation.roles.get(role) as RoleRules);
  const people = [...request.approvals.map(({ by }) => by), deciding.principal];
  const capacities = people.map((person) => asApprover(organisation, rule, person, { subject, role }, at.now));
  if (!suffice(rule, capacities)) return facts(approved);
  const conditions = conditionsOf(request, organisation.roles.get(role) as RoleRules, old, at);
  const many = tooMany(organisation, subject, role, conditions);
  if (many) return many;
  const grant = at.newId() as GrantId;
  const counted = people.flatMap((by, n) => {
    const [first] = capacities[n] ?? [];
    return first === undefined
      ? []
      : [{ by, as: by === deciding.principal ? as : (request.approvals[n]?.as ?? first) }];
  });
  return facts(
    approved,
    draft(
      'postern.grant.issued.v1',
      request.subject,
      {
        grant,
        subject,
        role,
        conditions,
        origin: 'direct',
        reason: request.reason,
        ...(request.ticket !== undefined && { ticket: request.ticket }),
        request: id,
        approvals: counted,
        ...(old && { replaces: old.id }),
      },
      at,
      grant,
    ),
    ...(old
      ? [
          draft(
            'postern.grant.revoked.v1',
            request.subject,
            { grant: old.id, subject, role, reason: `extended by ${grant}` },
            at,
          ),
        ]
      : []),
  );
};

/** An extension goes on where the old grant ends; neither is longer from now than the role allows now. */
const conditionsOf = (
  { duration }: AccessRequest,
  { maxDuration = longestDuration }: RoleRules,
  old: Grant | undefined,
  at: Circumstances,
): Conditions => {
  const now = Date.parse(at.now);
  const begins = old?.conditions?.until === undefined ? now : Date.parse(old.conditions.until);
  const until = Math.min(begins + durationMs(duration), now + durationMs(maxDuration));
  return { ...old?.conditions, until: wholeSecond(until) };
};

export const denyRequest: Decider<'deny-request'> = ({ request: id, deciding, reason }, organisation, at) => {
  const request = openRequest(organisation, id, at);
  if ('outcome' in request) return request;
  const as = decidesAs(organisation, request, deciding, at);
  if (typeof as !== 'string') return as;
  const { subject, role } = request;
  return facts(
    draft('postern.grant.denied.v1', subject, { request: id, subject, role, by: deciding.principal, as, reason }, at),
  );
};

export const withdrawRequest: Decider<'withdraw-request'> = ({ request: id, by, reason }, organisation, at) => {
  const request = openRequest(organisation, id, at);
  if ('outcome' in request) return request;
  const { subject, role, requester } = request;
  if (by !== subject && by !== requester)
    return refused('grants/not-your-decision', {
      detail: `the request is ${requester}'s, for ${subject}`,
      fix: 'An approver denies it instead.',
    });
  return facts(draft('postern.grant.withdrawn.v1', subject, { request: id, subject, role, ...because(reason) }, at));
};

export const lapseRequests: Decider<'lapse-requests'> = (_command, organisation, at) =>
  facts(
    ...organisation.life.requests
      .open()
      .filter(({ answerBy }) => Date.parse(answerBy) <= Date.parse(at.now))
      .slice(0, 500)
      .map(({ id, subject, role, answerBy }) =>
        draft('postern.grant.unanswered.v1', subject, { request: id, subject, role, answerBy }, at),
      ),
  );

const openRequest = (organisation: Organisation, id: RequestId, at: Circumstances): AccessRequest | Decided => {
  const request = organisation.life.requests.get(id);
  if (request === undefined)
    return refused('grants/unknown-request', {
      detail: `there is no request ${id}`,
      fix: 'List them: postern requests.',
    });
  if (request.state !== 'open')
    return refused('grants/request-closed', { detail: `the request was ${request.state}`, fix: 'Ask anew.' });
  if (Date.parse(request.answerBy) <= Date.parse(at.now))
    return refused('grants/request-closed', {
      detail: `the request had to be answered by ${request.answerBy}`,
      fix: 'Ask anew.',
    });
  return request;
};

/** The first approver of the rule that the person is; or why they may not decide. */
const decidesAs = (
  organisation: Organisation,
  { subject, requester, role }: AccessRequest,
  deciding: Parameters<typeof decidesForOneself>[1],
  at: Circumstances,
): string | Decided => {
  const oneself = decidesForOneself(organisation, deciding, [subject, requester]);
  if (oneself) return oneself;
  const rules = organisation.roles.get(role);
  const rule = ruleOf(rules ?? { allows: [] });
  const [as] = asApprover(
    organisation,
    rule,
    deciding.principal,
    { subject: subject as unknown as SubjectId, role },
    at.now,
  );
  return (
    as ??
    refused('grants/not-your-decision', {
      detail: `${role} is approved by ${ruleText(rule)}, and ${deciding.principal} is none of them for ${subject}`,
      fix: 'Ask one of them.',
    })
  );
};
