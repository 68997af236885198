/** A role is asked for, or a grant to last longer: by whom, for whom, and whether anybody could say yes at all. */
import {
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
import { couldBeMet, ruleOf, ruleText, standsFor } from './approvers.ts';
import type { Circumstances, Decided, Decider } from './command.ts';
import { draft, facts, refused } from './drafts.ts';
import { conflictOfDuties } from './duties.ts';
import { unknownRole, unknownSubject } from './grants.ts';

/** How long a request waits for its answer, in ms. */
const answerWithinMs = 7 * 86_400_000;
/** Of roles that state none: how long they are given for, and how long at most. */
const usualDuration = '30d';
export const longestDuration = '365d';

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

export const notToExtend = (
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
