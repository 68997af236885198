/** Groups nest in facts and are flat in the graph: this keeps the direct members and derives who is inside, through any nesting. */

import type { Member } from '../facts/group.ts';
import type { GroupId, PrincipalId } from '../ids.ts';

export type MembershipChange = { readonly group: GroupId; readonly principal: PrincipalId; readonly is: 'in' | 'out' };

const isGroup = (member: Member): member is GroupId => member.startsWith('group:');

export class Groups {
  readonly #direct = new Map<GroupId, Set<Member>>();
  /** The groups a member stands in directly. */
  readonly #above = new Map<Member, Set<GroupId>>();
  /** Who is inside, however deep: what the graph holds. */
  readonly #inside = new Map<GroupId, Set<PrincipalId>>();

  has(group: GroupId): boolean {
    return this.#direct.has(group);
  }
  names(): Iterable<GroupId> {
    return this.#direct.keys();
  }
  direct(group: GroupId): ReadonlySet<Member> {
    return this.#direct.get(group) ?? new Set();
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
  change(group: GroupId, add: readonly Member[], remove: readonly Member[]): MembershipChange[] {
    const members = this.#members(group);
    for (const member of remove) {
      members.delete(member);
      this.#above.get(member)?.delete(group);
    }
    for (const member of add) {
      members.add(member);
      const above = this.#above.get(member);
      if (above) above.add(group);
      else this.#above.set(member, new Set([group]));
    }
    return this.#settle(group);
  }

  delete(group: GroupId): MembershipChange[] {
    if (!this.#direct.has(group)) return [];
    const changes = this.change(group, [], [...this.direct(group)]);
    const above = [...(this.#above.get(group) ?? [])];
    for (const parent of above) changes.push(...this.change(parent, [], [group]));
    this.#direct.delete(group);
    this.#inside.delete(group);
    this.#above.delete(group);
    return changes;
  }

  #members(group: GroupId): Set<Member> {
    let members = this.#direct.get(group);
    if (members === undefined) {
      members = new Set();
      this.#direct.set(group, members);
      this.#inside.set(group, new Set());
    }
    return members;
  }

  /** Recomputes `group` and every group around it, innermost first, and reports the differences. */
  #settle(group: GroupId): MembershipChange[] {
    const changes: MembershipChange[] = [];
    const pending = [group, ...this.#inOrder(this.around(group))];
    for (const name of pending) {
      const before = this.inside(name);
      const after = new Set<PrincipalId>();
      for (const member of this.direct(name))
        if (isGroup(member)) for (const principal of this.inside(member)) after.add(principal);
        else after.add(member);
      for (const principal of before) if (!after.has(principal)) changes.push({ group: name, principal, is: 'out' });
      for (const principal of after) if (!before.has(principal)) changes.push({ group: name, principal, is: 'in' });
      this.#inside.set(name, after);
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
      for (const member of this.direct(name)) if (isGroup(member) && groups.has(member)) visit(member);
      ordered.push(name);
    };
    for (const name of groups) visit(name);
    return ordered;
  }
}
