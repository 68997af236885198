/** Memberships and relations by when they hold: what counts now, what waits for whom, and what a leaving takes that is told late. */
import {
  type ClaimTime,
  type FactDraft,
  type GroupId,
  isAfter,
  type Member,
  ObjectRelation,
  type Organisation,
  type PrincipalId,
  type Relationship,
  type RoleName,
  SubjectId,
} from '@postern/schemas';
import type { Circumstances } from './command.ts';
import { draft } from './drafts.ts';
import { areSeparate, conflictOfMembership } from './duties.ts';

/** Undefined where the source named no time: then it holds from now on, whatever came before. */
export const whenOf = ({ said, occurred }: Circumstances): ClaimTime | undefined =>
  said === undefined ? undefined : { effective: Date.parse(occurred), said: Date.parse(said) };

const at = (circumstances: Circumstances, { effective, said }: ClaimTime): Circumstances => ({
  ...circumstances,
  occurred: new Date(effective).toISOString(),
  said: new Date(said).toISOString(),
});

export const isGroup = (member: string): member is GroupId => member.startsWith('group:');
export const isHere = (organisation: Organisation, member: Member): boolean =>
  isGroup(member) ? organisation.groups.has(member) : organisation.principals.get(member)?.state === 'active';

/** Whatever was given them for before that is over. */
export const isOver = (organisation: Organisation, member: Member, when: ClaimTime): boolean => {
  const end = isGroup(member) ? organisation.groups.deletedAt(member) : organisation.claims.leftAt(member);
  return end !== undefined && !isAfter(when, end);
};

/** What was said of somebody, or of a group, before they came: it counts now. What may not be held together waits on. */
export const arrivals = (
  organisation: Organisation,
  member: Member,
  circumstances: Circumstances,
  given: readonly FactDraft[] = [],
): FactDraft[] => {
  const { groups, objects } = organisation;
  const gained = given.flatMap((each) => (each.type === 'postern.grant.issued.v1' ? [each.data.role] : []));
  const drafts: FactDraft[] = [];
  for (const [group, since] of groups.waitingOf(member)) {
    if (!groups.has(group) || isOver(organisation, group, since) || isOver(organisation, member, since)) continue;
    if (groups.wouldCycle(group, member) || conflictOfMembership(organisation, group, [member]) !== undefined) continue;
    const roles = rolesAround(organisation, group);
    if (gained.some((one) => roles.some((other) => areSeparate(organisation, one, other)))) continue;
    gained.push(...roles);
    const data = { group, add: [member], remove: [] };
    drafts.push(draft('postern.group.changed.v1', group, data, at(circumstances, since)));
  }
  for (const { edge, at: since } of objects.waitingOf(isGroup(member) ? `${member}#member` : member)) {
    if (isOver(organisation, member, since)) continue;
    const data = dataOf(edge);
    drafts.push(draft('postern.object.related.v1', data.object, data, at(circumstances, since)));
  }
  return drafts;
};

const dataOf = ({ resource, relation, subject }: Relationship) =>
  ObjectRelation.parse({ object: resource, relation, subject });

const rolesAround = (organisation: Organisation, group: GroupId): RoleName[] =>
  [group, ...organisation.groups.around(group)].flatMap((each) =>
    organisation.grantsOf(SubjectId.parse(`${each}#member`)).map(({ role }) => role),
  );

/** Told late that they left, or that the group was deleted, and they are here again: what was theirs before that ends. */
export const endedBefore = (
  organisation: Organisation,
  member: PrincipalId | GroupId,
  when: ClaimTime,
  circumstances: Circumstances,
): FactDraft[] => {
  const { groups, objects } = organisation;
  const memberships = [...groups.above(member)].flatMap((group) => {
    const since = groups.claimOf(group, member)?.at;
    if (since === undefined || isAfter(since, when)) return [];
    // For when the membership began: nobody has said anything of the group itself for later.
    const data = { group, add: [], remove: [member] };
    return [draft('postern.group.changed.v1', group, data, at(circumstances, since))];
  });
  const relations = objects.of(isGroup(member) ? `${member}#member` : member).flatMap((edge) => {
    const since = objects.sinceOf(edge);
    if (since !== undefined && isAfter(since, when)) return [];
    const data = dataOf(edge);
    return [draft('postern.object.unrelated.v1', data.object, data, circumstances)];
  });
  return [...memberships, ...relations];
};
