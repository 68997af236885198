/**
 * Groups: who is in them, directly; nesting is allowed, a cycle is not. Where the source says for when, the later of two claims stands,
 * whichever came first, and a member who is not here yet is waited for.
 */
import {
  type ClaimTime,
  type GroupId,
  isAfter,
  type Member,
  type Organisation,
  PrincipalId,
  stands,
} from '@postern/schemas';
import type { Circumstances, Command, Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';
import { conflictOfMembership } from './duties.ts';
import { arrivals, endedBefore, isGroup, isHere, isOver, whenOf } from './edges-in-time.ts';

type Change = Extract<Command, { kind: 'change-group' }>;

export const changeGroup: Decider<'change-group'> = (command, organisation, at) => {
  const when = whenOf(at);
  return when === undefined ? changedNow(command, organisation, at) : changedThen(command, organisation, at, when);
};

const changedNow = ({ group, add, remove, reason }: Change, organisation: Organisation, at: Circumstances): Decided => {
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
    if (organisation.groups.wouldCycle(group, member)) return cycle(group, member);
  }
  const conflict = conflictOfMembership(organisation, group, added);
  if (conflict) return conflict;
  if (added.length === 0 && removed.length === 0 && organisation.groups.has(group)) return nothing;
  return facts(
    draft('postern.group.changed.v1', group, { group, add: added, remove: removed, ...because(reason) }, at),
    ...(organisation.groups.has(group) ? [] : arrivals(organisation, group, at)),
  );
};

const changedThen = (
  { group, add, remove, reason }: Change,
  organisation: Organisation,
  at: Circumstances,
  when: ClaimTime,
): Decided => {
  const { groups } = organisation;
  if (isOver(organisation, group, when)) return nothing;
  const direct = groups.direct(group);
  const counts = [...new Set(add)].filter(
    (member) => stands('in', when, groups.claimOf(group, member)) && !isOver(organisation, member, when),
  );
  const ends = [...new Set(remove)].filter(
    (member) => !add.includes(member) && stands('out', when, groups.claimOf(group, member)),
  );
  const added = counts.filter((member) => !direct.has(member) && isHere(organisation, member));
  const removed = ends.filter((member) => direct.has(member));
  for (const member of added) if (groups.wouldCycle(group, member)) return cycle(group, member);
  const conflict = conflictOfMembership(organisation, group, added);
  if (conflict) return conflict;
  const changes = added.length > 0 || removed.length > 0 || !groups.has(group);
  const claims = {
    group,
    add: counts.filter((member) => !added.includes(member)),
    remove: ends.filter((member) => !removed.includes(member)),
  };
  const claimed =
    claims.add.length > 0 || claims.remove.length > 0 || (!changes && isAfter(when, groups.changedAt(group)));
  return facts(
    ...(changes
      ? [draft('postern.group.changed.v1', group, { group, add: added, remove: removed, ...because(reason) }, at)]
      : []),
    ...(claimed ? [draft('postern.group.claimed.v1', group, claims, at)] : []),
    ...(groups.has(group) ? [] : arrivals(organisation, group, at)),
  );
};

export const deleteGroup: Decider<'delete-group'> = ({ group, reason }, organisation, at) => {
  const { groups } = organisation;
  const when = whenOf(at);
  const exists = groups.has(group);
  if (!exists && when === undefined) return refused('grants/unknown-group', { detail: `${group} does not exist` });
  if (when !== undefined && isOver(organisation, group, when)) return nothing;
  const changed = groups.changedAt(group);
  const since = when !== undefined && changed !== undefined && isAfter(changed, when);
  if (exists && !since) return facts(draft('postern.group.deleted.v1', group, { group, ...because(reason) }, at));
  const claim = draft('postern.group.claimed.v1', group, { group, add: [], remove: [], deleted: true }, at);
  if (!exists || when === undefined) return facts(claim);
  // Told late: it has come again meanwhile, and what was in it before is over.
  const gone = [...groups.direct(group)].filter((member) => {
    const known = groups.claimOf(group, member);
    return known !== undefined && !isAfter(known.at, when);
  });
  return facts(
    claim,
    ...(gone.length === 0
      ? []
      : [draft('postern.group.changed.v1', group, { group, add: [], remove: gone, ...because(reason) }, at)]),
    ...endedBefore(organisation, group, when, at),
  );
};

const cycle = (group: GroupId, member: Member): Decided =>
  refused('grants/group-cycle', {
    detail: `${group} is inside ${member}, or is the same`,
    fix: 'Take one of the two memberships away.',
  });

const unknownMember = (
  member: Member,
  stateOf: (id: PrincipalId) => string | undefined,
  exists: (id: GroupId) => boolean,
): string | undefined => {
  const principal = PrincipalId.safeParse(member);
  const known = principal.success ? stateOf(principal.data) === 'active' : isGroup(member) && exists(member);
  return known ? undefined : member;
};
