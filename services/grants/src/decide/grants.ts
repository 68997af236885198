/** Grants: one subject, one role, under conditions, for a reason. */
import {
  alternativesBytesMax,
  type Conditions,
  canonicalJson,
  durationMs,
  type FactDraft,
  type Grant,
  type GrantId,
  neverMet,
  type Organisation,
  type PrincipalId,
  type ReviewId,
  type RoleName,
  type SubjectId,
} from '@postern/schemas';
import type { Circumstances, Decided, Decider } from './command.ts';
import { draft, facts, refused } from './drafts.ts';
import { conflictOfDuties } from './duties.ts';

export const issueGrant: Decider<'issue-grant'> = ({ subject, role, conditions, reason, ticket }, organisation, at) => {
  const refusal =
    unknownSubject(organisation, subject) ??
    unknownRole(organisation, role) ??
    impossible(conditions) ??
    conflictOfDuties(organisation, subject, role) ??
    tooLong(organisation, role, conditions, at.now) ??
    tooMany(organisation, subject, role, conditions);
  if (refusal) return refusal;
  const id = at.newId() as GrantId;
  const given = conditions && Object.keys(conditions).length > 0 ? { conditions } : {};
  return facts(
    draft(
      'postern.grant.issued.v1',
      subject,
      { grant: id, subject, role, ...given, origin: 'direct', reason, ...(ticket !== undefined && { ticket }) },
      at,
      id,
    ),
  );
};

export const revokeGrant: Decider<'revoke-grant'> = ({ grant, reason, ticket }, organisation, at) => {
  const live = organisation.grants.get(grant);
  if (live === undefined)
    return refused('grants/unknown-grant', {
      detail: `no live grant has the id ${grant}`,
      fix: 'List live grants with GET /.postern/grants or postern grants.',
    });
  return facts(...revocation(organisation, live, { reason, ...(ticket !== undefined && { ticket }) }, at));
};

/** A birthright that is revoked stays away until its holder moves: else the next look at the attributes would give it back. */
export const revocation = (
  organisation: Organisation,
  { id: grant, subject, role, origin }: Grant,
  why: { readonly reason: string; readonly ticket?: string; readonly review?: ReviewId },
  at: Circumstances,
): FactDraft[] => {
  const revoked = draft('postern.grant.revoked.v1', subject, { grant, subject, role, ...why }, at);
  const principal = subject as unknown as PrincipalId;
  if (origin !== 'birthright' || !organisation.principals.has(principal)) return [revoked];
  const { reason } = why;
  return [
    revoked,
    draft('postern.birthright.withheld.v1', principal, { principal, role, because: 'revoked', reason }, at),
  ];
};

/** Cleans up; the condition itself has refused since `until`. */
export const expireGrants: Decider<'expire-grants'> = (_command, organisation, at) => {
  const now = Date.parse(at.now);
  const lapsed = [...organisation.grants.values()].flatMap(({ id, subject, role, conditions }) =>
    conditions?.until !== undefined && Date.parse(conditions.until) <= now
      ? [draft('postern.grant.expired.v1', subject, { grant: id, subject, role, until: conditions.until }, at)]
      : [],
  );
  return facts(...lapsed.slice(0, 500));
};

export const unknownSubject = (organisation: Organisation, subject: SubjectId): Decided | undefined => {
  const known = subject.startsWith('group:')
    ? organisation.groups.has(subject.slice(0, -'#member'.length) as Parameters<typeof organisation.groups.has>[0])
    : subject.startsWith('credential:')
      ? organisation.credentials.has(subject as Parameters<typeof organisation.credentials.has>[0])
      : organisation.principals.get(subject as unknown as PrincipalId)?.state === 'active';
  if (known) return undefined;
  if (subject.startsWith('group:')) return refused('grants/unknown-group', { detail: `${subject} does not exist` });
  if (subject.startsWith('credential:'))
    return refused('grants/unknown-credential', { detail: `${subject} is not live` });
  return refused('grants/unknown-principal', {
    detail: `${subject} has not joined, or has left`,
    fix: 'Send a postern.person.joined.v1 event for it first.',
  });
};

export const unknownRole = (organisation: Organisation, role: RoleName): Decided | undefined =>
  organisation.roles.has(role)
    ? undefined
    : refused('grants/unknown-role', {
        detail: `the role ${role} is not defined`,
        fix: `Defined: ${[...organisation.roles.keys()].join(', ') || 'none'}.`,
      });

const impossible = (conditions: Conditions | undefined): Decided | undefined => {
  const never = conditions && neverMet(conditions);
  return never && refused('grants/never-met', { detail: never.why, fix: never.fix });
};

const tooLong = (
  organisation: Organisation,
  role: RoleName,
  conditions: Conditions | undefined,
  now: string,
): Decided | undefined => {
  const maxDuration = organisation.roles.get(role)?.maxDuration;
  if (maxDuration === undefined) return undefined;
  const begins = Math.max(Date.parse(now), conditions?.from === undefined ? 0 : Date.parse(conditions.from));
  if (conditions?.until !== undefined && Date.parse(conditions.until) - begins <= durationMs(maxDuration))
    return undefined;
  return refused('grants/too-long', {
    detail: `${role} is given for at most ${maxDuration}`,
    fix: 'Set conditions.until within that time.',
  });
};

export const tooMany = (
  organisation: Organisation,
  subject: SubjectId,
  role: RoleName,
  conditions: Conditions | undefined,
): Decided | undefined => {
  const alternatives = organisation
    .grantsOf(subject)
    .flatMap((grant) => (grant.role === role && grant.conditions ? [grant.conditions] : []));
  const bytes = canonicalJson([...alternatives, conditions ?? {}]).length;
  return bytes <= alternativesBytesMax
    ? undefined
    : refused('grants/too-many-conditions', {
        detail: `${bytes} bytes of conditions; the limit is ${alternativesBytesMax}`,
        fix: 'Revoke grants that are no longer needed.',
      });
};
