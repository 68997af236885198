/** Separation of duties: which roles nobody may hold together, directly, through groups, or by birthright. */
import {
  type GrantId,
  type GroupId,
  type Member,
  type Organisation,
  PrincipalId,
  type RoleName,
  type SubjectId,
} from '@postern/schemas';
import type { Decided } from './command.ts';
import { refused } from './drafts.ts';

/** Either of them may name the other. */
export const areSeparate = ({ roles }: Organisation, a: RoleName, b: RoleName): boolean =>
  roles.get(a)?.separateFrom?.includes(b) === true || roles.get(b)?.separateFrom?.includes(a) === true;

/** A grant whose time has passed counts until it is cleaned up: clocks run apart, and both halves for a second are both halves. */
export const rolesHeldBy = (
  organisation: Organisation,
  person: PrincipalId,
  without: ReadonlySet<GrantId> = new Set(),
): Set<RoleName> =>
  new Set(
    [person as SubjectId, ...[...organisation.groups.around(person)].map(asHolder)]
      .flatMap((holder) => organisation.grantsOf(holder))
      .flatMap(({ id, role }) => (without.has(id) ? [] : [role])),
  );

/** Both directions count, and roles held through groups too: it is the person who must not hold both. */
export const conflictOfDuties = (
  organisation: Organisation,
  subject: SubjectId,
  role: RoleName,
  without?: ReadonlySet<GrantId>,
): Decided | undefined => {
  for (const person of peopleBehind(organisation, subject))
    for (const held of rolesHeldBy(organisation, person, without))
      if (areSeparate(organisation, role, held)) return conflict(person, held, role, `Revoke ${held} first`);
  return undefined;
};

/** Whoever becomes a member gets the roles of the group and of every group around it. */
export const conflictOfMembership = (
  organisation: Organisation,
  group: GroupId,
  added: readonly Member[],
): Decided | undefined => {
  if (added.length === 0) return undefined;
  const gained = new Set(
    [group, ...organisation.groups.around(group)]
      .flatMap((each) => organisation.grantsOf(asHolder(each)))
      .map(({ role }) => role),
  );
  if (gained.size === 0 || !hasSeparations(organisation)) return undefined;
  for (const member of added)
    for (const person of peopleBehind(
      organisation,
      member.startsWith('group:') ? asHolder(member) : (member as SubjectId),
    )) {
      const held = new Set([...rolesHeldBy(organisation, person), ...gained]);
      for (const role of gained)
        for (const other of held)
          if (areSeparate(organisation, role, other)) return conflict(person, other, role, `Take ${other} away first`);
    }
  return undefined;
};

export const hasSeparations = ({ roles }: Organisation): boolean => {
  for (const { separateFrom = [] } of roles.values()) if (separateFrom.length > 0) return true;
  return false;
};

const conflict = (person: PrincipalId, held: RoleName, role: RoleName, first: string): Decided =>
  refused('grants/separation-of-duties', {
    detail: `${person} holds ${held}, which is kept separate from ${role}`,
    fix: `${first}, or give ${role} to somebody else.`,
  });

const asHolder = (group: string): SubjectId => `${group}#member` as SubjectId;

export const peopleBehind = (organisation: Organisation, subject: SubjectId): Iterable<PrincipalId> => {
  if (subject.startsWith('group:')) return organisation.groups.inside(subject.slice(0, -'#member'.length) as GroupId);
  const principal = PrincipalId.safeParse(subject);
  return principal.success ? [principal.data] : [];
};
