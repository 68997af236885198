/** A role is asked for; by the role's rule somebody else says yes or no. Every yes is judged on the state at the head. */
import {
  type AccessRequest,
  type Conditions,
  durationMs,
  type Grant,
  type GrantId,
  type Organisation,
  type PrincipalId,
  type RequestId,
  type RoleName,
  type RoleRules,
  type SubjectId,
} from '@postern/schemas';
import {
  type ApprovalRule,
  asApprover,
  couldBeMet,
  decidesForOneself,
  ruleOf,
  standsFor,
  suffice,
} from './approvers.ts';
import type { Circumstances, Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused, wholeSecond } from './drafts.ts';
import { conflictOfDuties } from './duties.ts';
import { tooMany, unknownRole, unknownSubject } from './grants.ts';

/** How long a request waits for its answer, in ms. */
const answerWithinMs = 7 * 86_400_000;
/** Of roles that state none: how long they are given for, and how long at most. */
const usualDuration = '30d';
const longestDuration = '365d';

export const askForRole: Decider<'ask-for-role'> = (command, organisation, at) => {
  const { subject, role, requester, reason, ticket, extends: longer } = command;
  const refusal =
    forOthers(organisation, command, at) ??
    unknownSubject(organisation, subject as unknown as SubjectId) ??
    unknownRole(organisation, role);
  if (refusal) return refusal;
  const rules = organisation.roles.get(role) as RoleRules;
  const rule = ruleOf(rules);
  if (rule.approvers.length === 0)
    return refused('grants/not-requestable', {
      detail: `${role} names no approvers`,
      fix: 'Ask an administrator, or let the role name approvers.',
    });
  const old = longer === undefined ? undefined : organisation.grants.get(longer);
  const wrong = longer === undefined ? heldAlready(organisation, command) : notToExtend(old, command, at);
  if (wrong) return wrong;
  if (organisation.life.requests.open().some((each) => each.subject === subject && each.role === role))
    return refused('grants/already-asked', {
      detail: `${subject} is waiting for an answer about ${role} already`,
      fix: 'Wait for it, or withdraw that request.',
    });
  const longest = rules.maxDuration ?? longestDuration;
  const duration = command.duration ?? rules.maxDuration ?? usualDuration;
  if (durationMs(duration) > durationMs(longest))
    return refused('grants/too-long', {
      detail: `${role} is given for at most ${longest}`,
      fix: `Ask for ${longest} or less.`,
    });
  const conflict = conflictOfDuties(organisation, subject as unknown as SubjectId, role);
  if (conflict) return conflict;
  const matter = { subject: subject as unknown as SubjectId, role };
  if (!couldBeMet(organisation, rule, matter, [subject, requester], at.now))
    return refused('grants/no-approver', {
      detail: `${role} is approved by ${ruleText(rule)}; there are not enough people for that beside ${[...new Set([subject, requester])].join(' and ')}`,
      fix: 'Ask an administrator.',
    });
  const request = at.newId() as RequestId;
  const latest = Date.parse(at.now) + answerWithinMs;
  const ends = old?.conditions?.until === undefined ? latest : Math.min(latest, Date.parse(old.conditions.until));
  return facts(
    draft(
      'postern.grant.requested.v1',
      subject,
      {
        request,
        subject,
        role,
        requester,
        duration,
        reason,
        ...(ticket !== undefined && { ticket }),
        ...(longer !== undefined && { extends: longer }),
        answerBy: new Date(ends).toISOString(),
      },
      at,
      request,
    ),
  );
};

/** Asked before anything else, so that questions about others tell nothing of them. */
const forOthers = (
  organisation: Organisation,
  {
    subject,
    role,
    requester,
  }: { readonly subject: PrincipalId; readonly role: RoleName; readonly requester: PrincipalId },
  at: Circumstances,
): Decided | undefined => {
  if (subject === requester) return undefined;
  const matter = { subject: subject as unknown as SubjectId, role };
  const approvers = organisation.roles.get(role)?.approvers ?? [];
  if (['manager', ...approvers].some((named) => standsFor(organisation, named, requester, matter, at.now)))
    return undefined;
  return refused('grants/not-your-decision', {
    detail: `${requester} is neither the manager of ${subject} nor an approver of ${role}`,
    fix: 'Let them ask themselves.',
  });
};

const ruleText = ({ approvers, approvals }: ApprovalRule): string =>
  approvals === 'all' ? approvers.join(' and ') : `${approvals} of ${approvers.join(', ')}`;

const heldAlready = (
  organisation: Organisation,
  { subject, role }: { readonly subject: string; readonly role: RoleName },
): Decided | undefined => {
  const held = organisation
    .grantsOf(subject as SubjectId)
    .find((grant) => grant.role === role && grant.origin !== 'break-glass');
  if (held === undefined) return undefined;
  const until = held.conditions?.until;
  return refused('grants/already-held', {
    detail: `${subject} holds ${role} already${until === undefined ? '' : ` until ${until}`}`,
    fix: until === undefined ? 'Nothing has to be asked for.' : `Extend the grant ${held.id}.`,
  });
};

const notToExtend = (
  old: Grant | undefined,
  {
    subject,
    role,
    extends: longer,
  }: { readonly subject: string; readonly role: RoleName; readonly extends?: GrantId | undefined },
  at: Circumstances,
): Decided | undefined => {
  if (old === undefined || (old.subject as string) !== subject || old.role !== role)
    return refused('grants/unknown-grant', {
      detail: `${subject} holds no live grant ${longer} of ${role}`,
      fix: 'Ask for the role anew.',
    });
  const until = old.conditions?.until;
  if (until === undefined || Date.parse(until) <= Date.parse(at.now) || old.origin !== 'direct')
    return refused('grants/not-to-extend', {
      detail:
        old.origin === 'direct'
          ? `the grant ${old.id} ${until === undefined ? 'has no end' : `ended at ${until}`}`
          : `the grant ${old.id} is a matter of ${old.origin}`,
      fix: 'Ask for the role anew.',
    });
  return undefined;
};

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
