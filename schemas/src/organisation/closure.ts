/**
 * Groups nest in facts and are flat in the graph: this keeps the direct members, since when each is one, and derives who is inside,
 * through any nesting. What was said and does not hold now is kept too: it counts against what arrives later.
 */

import type { Member } from '../facts/group.ts';
import type { GroupId, PrincipalId } from '../ids.ts';
import type { ClaimTime } from './claims.ts';
import { dawn, type EdgeClaim, type EdgeTime, isAfter, later } from './edge-time.ts';
import { layered } from './layers.ts';

export type MembershipChange = { readonly group: GroupId; readonly principal: PrincipalId; readonly is: 'in' | 'out' };

/** Direct members, to be looked at. */
export type Members = Iterable<Member> & { readonly size: number; readonly has: (member: Member) => boolean };

const isGroup = (member: Member): member is GroupId => member.startsWith('group:');

export class Groups {
  readonly #direct: Map<GroupId, Map<Member, EdgeTime>>;
  /** Memberships that were taken away, or said to be over. */
  readonly #out: Map<GroupId, Map<Member, ClaimTime>>;
  /** Memberships of who is not here. */
  readonly #waiting: Map<Member, Map<GroupId, EdgeTime>>;
  readonly #changed: Map<GroupId, ClaimTime>;
  readonly #deleted: Map<GroupId, ClaimTime>;
  /** The groups a member stands in directly. */
  readonly #above: Map<Member, Set<GroupId>>;
  /** The groups that are direct members. */
  readonly #nested: Map<GroupId, Set<GroupId>>;
  /** Who is inside, however deep: what the graph holds. */
  readonly #inside: Map<GroupId, Set<PrincipalId>>;

  constructor(under?: Groups) {
    this.#direct = layered(under === undefined ? undefined : under.#direct);
    this.#out = layered(under === undefined ? undefined : under.#out);
    this.#waiting = layered(under === undefined ? undefined : under.#waiting);
    this.#changed = layered(under === undefined ? undefined : under.#changed);
    this.#deleted = layered(under === undefined ? undefined : under.#deleted);
    this.#above = layered(under === undefined ? undefined : under.#above);
    this.#nested = layered(under === undefined ? undefined : under.#nested);
    this.#inside = layered(under === undefined ? undefined : under.#inside);
  }

  has(group: GroupId): boolean {
    return this.#direct.has(group);
  }
  names(): Iterable<GroupId> {
    return this.#direct.keys();
  }
  direct(group: GroupId): Members {
    const members = this.#direct.get(group);
    if (members === undefined) return new Set();
    return {
      size: members.size,
      has: (member) => members.has(member),
      [Symbol.iterator]: () => members.keys(),
    };
  }
  /** What is known of the membership, and for when. */
  claimOf(group: GroupId, member: Member): EdgeClaim | undefined {
    const since = this.#direct.get(group)?.get(member) ?? this.#waiting.get(member)?.get(group);
    if (since !== undefined) return { is: 'in', at: since };
    const until = this.#out.get(group)?.get(member);
    return until && { is: 'out', at: until };
  }
  /** Memberships that count once the member is here. */
  waitingOf(member: Member): ReadonlyMap<GroupId, ClaimTime> {
    return this.#waiting.get(member) ?? new Map();
  }
  *allWaiting(): Generator<{ readonly member: Member; readonly in: GroupId }> {
    for (const [member, all] of this.#waiting) for (const group of all.keys()) yield { member, in: group };
  }
  /** When the group was deleted last, whether or not it has come again. */
  deletedAt(group: GroupId): ClaimTime | undefined {
    return this.#deleted.get(group);
  }
  changedAt(group: GroupId): ClaimTime | undefined {
    return this.#changed.get(group);
  }
  inside(group: GroupId): ReadonlySet<PrincipalId> {
    return this.#inside.get(group) ?? new Set();
  }
  /** The groups that name the member themselves. */
  above(member: Member): ReadonlySet<GroupId> {
    return this.#above.get(member) ?? new Set();
  }
  /** Every group that holds the member, directly or through others. */
  around(member: Member): Set<GroupId> {
    const found = new Set<GroupId>();
    const queue: Member[] = [member];
    for (let at = queue.pop(); at !== undefined; at = queue.pop())
      for (const group of this.#above.get(at) ?? [])
        if (!found.has(group)) {
          found.add(group);
          queue.push(group);
        }
    return found;
  }
  /** Would `group` contain itself if it took in `member`? */
  wouldCycle(group: GroupId, member: Member): boolean {
    return isGroup(member) && (member === group || this.around(group).has(member));
  }

  /** Applies a change of direct members; answers who is now inside which group, or no more. */
  change(group: GroupId, add: readonly Member[], remove: readonly Member[], at: EdgeTime = dawn): MembershipChange[] {
    const members = this.#members(group);
    this.claimChanged(group, at);
    for (const member of remove) this.claim(group, member, 'out', later(at, this.claimOf(group, member)?.at));
    for (const member of add) {
      const since = later(at, this.claimOf(group, member)?.at);
      this.#forget(group, member);
      members.set(member, since);
      const above = this.#above.get(member);
      if (above) above.add(group);
      else this.#above.set(member, new Set([group]));
      if (!isGroup(member)) continue;
      const nested = this.#nested.get(group);
      if (nested) nested.add(member);
      else this.#nested.set(group, new Set([member]));
    }
    return this.#settle(group, [...remove, ...add]);
  }

  /** Keeps what was said and changes nothing that holds. */
  claim(group: GroupId, member: Member, is: EdgeClaim['is'], at: EdgeTime): void {
    const standing = this.#direct.get(group);
    if (is === 'in' && standing?.has(member)) {
      standing.set(member, later(at, standing.get(member)));
      return;
    }
    this.#forget(group, member);
    if (is === 'out') setIn(this.#out, group, member, at);
    else setIn(this.#waiting, member, group, at);
  }
  claimChanged(group: GroupId, at: ClaimTime): void {
    this.#changed.set(group, later(at, this.#changed.get(group)));
  }
  claimDeleted(group: GroupId, at: ClaimTime): void {
    this.#deleted.set(group, later(at, this.#deleted.get(group)));
  }

  /** Whoever left is in no group; what a source says for later than that waits for them. */
  leave(member: PrincipalId, at: ClaimTime): MembershipChange[] {
    const changes: MembershipChange[] = [];
    for (const group of [...this.above(member)]) {
      const since = this.#direct.get(group)?.get(member);
      this.#forget(group, member);
      if (since?.waits === true && isAfter(since, at)) setIn(this.#waiting, member, group, since);
      changes.push(...this.#settle(group, [member]));
    }
    return changes;
  }

  delete(group: GroupId, at: EdgeTime = dawn): MembershipChange[] {
    this.claimDeleted(group, later(at, this.#changed.get(group)));
    if (!this.#direct.has(group)) return [];
    const members = [...this.direct(group)];
    for (const member of members) this.#forget(group, member);
    // From here on it holds nobody, and so gives nobody to the groups around it.
    const changes = this.#settle(group, members);
    const above = [...(this.#above.get(group) ?? [])];
    for (const parent of above) {
      const since = this.#direct.get(parent)?.get(group);
      this.#forget(parent, group);
      if (since?.waits === true && isAfter(since, at)) setIn(this.#waiting, group, parent, since);
    }
    this.#direct.delete(group);
    this.#inside.delete(group);
    this.#above.delete(group);
    this.#nested.delete(group);
    return changes;
  }

  #forget(group: GroupId, member: Member): void {
    if (this.#direct.get(group)?.delete(member)) {
      this.#above.get(member)?.delete(group);
      if (isGroup(member)) this.#nested.get(group)?.delete(member);
    }
    this.#out.get(group)?.delete(member);
    const waiting = this.#waiting.get(member);
    waiting?.delete(group);
    if (waiting?.size === 0) this.#waiting.delete(member);
  }

  #members(group: GroupId): Map<Member, EdgeTime> {
    let members = this.#direct.get(group);
    if (members === undefined) {
      members = new Map();
      this.#direct.set(group, members);
      this.#inside.set(group, new Set());
    }
    return members;
  }

  /**
   * Looks again at the members of `group` that came or went, in it and in every group around it, innermost first, and reports the
   * differences. Nobody else is looked at: a membership costs the same in a group of any size.
   */
  #settle(group: GroupId, touched: readonly Member[]): MembershipChange[] {
    const changes: MembershipChange[] = [];
    const people = new Set<PrincipalId>();
    for (const member of touched)
      if (isGroup(member)) for (const principal of this.inside(member)) people.add(principal);
      else people.add(member);
    for (const name of [group, ...this.#inOrder(this.around(group))]) {
      const inside = this.#inside.get(name);
      const direct = this.#direct.get(name);
      if (inside === undefined) continue;
      const nested = [...(this.#nested.get(name) ?? [])];
      for (const principal of people) {
        const is = direct?.has(principal) === true || nested.some((each) => this.inside(each).has(principal));
        if (is === inside.has(principal)) continue;
        if (is) inside.add(principal);
        else inside.delete(principal);
        changes.push({ group: name, principal, is: is ? 'in' : 'out' });
      }
    }
    return changes;
  }

  /** Inner groups before the groups that hold them, so that each is computed once. */
  #inOrder(groups: Set<GroupId>): GroupId[] {
    const ordered: GroupId[] = [];
    const seen = new Set<GroupId>();
    const visit = (name: GroupId): void => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const member of this.#nested.get(name) ?? []) if (groups.has(member)) visit(member);
      ordered.push(name);
    };
    for (const name of groups) visit(name);
    return ordered;
  }
}

const setIn = <Outer, Inner, Value>(
  all: Map<Outer, Map<Inner, Value>>,
  outer: Outer,
  inner: Inner,
  value: Value,
): void => {
  const found = all.get(outer);
  if (found) found.set(inner, value);
  else all.set(outer, new Map([[inner, value]]));
};
