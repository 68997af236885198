/** Groups: who is in them, directly; nesting is allowed, a cycle is not. */
import { type GroupId, type Member, PrincipalId } from '@postern/schemas';
import type { Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';
import { conflictOfMembership } from './duties.ts';

export const changeGroup: Decider<'change-group'> = ({ group, add, remove, reason }, organisation, at) => {
  const direct = organisation.groups.direct(group);
  const added = [...new Set(add)].filter((member) => !direct.has(member));
  const removed = [...new Set(remove)].filter((member) => direct.has(member) && !add.includes(member));
  for (const member of added) {
    const missing = unknownMember(
      member,
      (id) => organisation.principals.get(id)?.state,
      (id) => organisation.groups.has(id),
    );
    if (missing)
      return refused(missing.startsWith('group:') ? 'grants/unknown-group' : 'grants/unknown-principal', {
        detail: `${missing} is not known here`,
        fix: 'Add it before it becomes a member.',
      });
    if (organisation.groups.wouldCycle(group, member))
      return refused('grants/group-cycle', {
        detail: `${group} is inside ${member}, or is the same`,
        fix: 'Take one of the two memberships away.',
      });
  }
  const conflict = conflictOfMembership(organisation, group, added);
  if (conflict) return conflict;
  if (added.length === 0 && removed.length === 0 && organisation.groups.has(group)) return nothing;
  return facts(
    draft('postern.group.changed.v1', group, { group, add: added, remove: removed, ...because(reason) }, at),
  );
};

export const deleteGroup: Decider<'delete-group'> = ({ group, reason }, organisation, at) => {
  if (!organisation.groups.has(group)) return refused('grants/unknown-group', { detail: `${group} does not exist` });
  return facts(draft('postern.group.deleted.v1', group, { group, ...because(reason) }, at));
};

const unknownMember = (
  member: Member,
  stateOf: (id: PrincipalId) => string | undefined,
  isGroup: (id: GroupId) => boolean,
): string | undefined => {
  const principal = PrincipalId.safeParse(member);
  const known = principal.success ? stateOf(principal.data) === 'active' : isGroup(member as GroupId);
  return known ? undefined : member;
};
