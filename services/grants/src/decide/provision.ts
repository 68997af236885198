/** Provisioning says how somebody is to be, not what happened: what happened follows from how the state at the head differs. */
import { canonicalJson, type FactDraft, type GroupId, type Member, saidHere } from '@postern/schemas';
import { birthrights } from './birthrights.ts';
import type { Circumstances, Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';
import { conflictOfMembership } from './duties.ts';
import { join, leave } from './principals.ts';

/** Bytes of member ids in one fact: well below the limit of one log entry, envelope included. */
const partBytesMax = 40_000;

/** Without attributes: gone. With them: here, with exactly these, unless somebody else says that they have left. */
export const provision: Decider<'provision'> = ({ principal, attributes, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  if (attributes === undefined)
    return known?.state === 'active' ? leave({ kind: 'leave', principal, reason }, organisation, at) : nothing;
  if (known?.state === 'left' && known.leftBy.some((source) => source !== saidHere))
    return refused('grants/has-left', {
      detail: `${known.leftBy.filter((source) => source !== saidHere).join(', ')} said that ${principal} has left, and provisioning does not undo that`,
      fix: 'If they are back, let that system send postern.person.joined.v1.',
    });
  if (known?.state !== 'active') return join({ kind: 'join', principal, attributes, reason }, organisation, at);
  if (canonicalJson(known.attributes) === canonicalJson(attributes)) return nothing;
  return facts(
    draft(
      'postern.principal.moved.v1',
      principal,
      { principal, before: known.attributes, after: attributes, ...because(reason) },
      at,
    ),
    ...birthrights(organisation, principal, attributes, at),
  );
};

/** `exact`: whoever is not added is taken out. Whoever has left is no member, whoever names them: membership is access. */
export const shapeGroup: Decider<'shape-group'> = ({ group, exact, add, remove }, organisation, at) => {
  const direct = organisation.groups.direct(group);
  const wanted = new Set<Member>();
  for (const member of add) {
    if (member.startsWith('group:')) {
      const inner = member as GroupId;
      if (!organisation.groups.has(inner))
        return refused('grants/unknown-group', { detail: `${inner} does not exist` });
      if (organisation.groups.wouldCycle(group, inner))
        return refused('grants/group-cycle', { detail: `${group} is inside ${inner}, or is the same` });
    } else {
      const state = organisation.principals.get(member as Parameters<typeof organisation.principals.get>[0])?.state;
      if (state === undefined) return refused('grants/unknown-principal', { detail: `${member} is not known here` });
      if (state === 'left') continue;
    }
    wanted.add(member);
  }
  // Machines come from elsewhere: an identity system that lists its people does not take them out.
  const removed = exact
    ? [...direct].filter((member) => !wanted.has(member) && !member.startsWith('workload:'))
    : remove.filter((member) => direct.has(member) && !wanted.has(member));
  const added = [...wanted].filter((member) => !direct.has(member));
  const conflict = conflictOfMembership(organisation, group, added);
  if (conflict) return conflict;
  if (added.length === 0 && removed.length === 0 && organisation.groups.has(group)) return nothing;
  return inParts(group, removed, added, at);
};

/** Whoever goes, goes first: interrupted between two appends somebody may lack what they are due, and nobody has too much. */
const inParts = (group: GroupId, removed: readonly Member[], added: readonly Member[], at: Circumstances): Decided => {
  const changes: FactDraft[] = [];
  const write = (data: { readonly add: Member[]; readonly remove: Member[] }): void => {
    changes.push(draft('postern.group.changed.v1', group, { group, ...data }, at));
  };
  const [goes, comes] = [parts(removed), parts(added)];
  if (
    goes.length <= 1 &&
    comes.length <= 1 &&
    (goes.length === 0 || comes.length === 0 || removed.length + added.length < 200)
  )
    write({ add: comes[0] ?? [], remove: goes[0] ?? [] });
  else {
    for (const part of goes) write({ add: [], remove: part });
    for (const part of comes) write({ add: part, remove: [] });
  }
  return facts(...changes);
};

const parts = (members: readonly Member[]): Member[][] => {
  const all: Member[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const member of members) {
    const size = member.length + 3;
    if (bytes + size > partBytesMax) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(member);
    bytes += size;
  }
  return all;
};
