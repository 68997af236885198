/** Members of a group are facts, and a group may have very many: a PATCH is what it adds and takes, without the list it leads to. */
import type { Member } from '@postern/schemas';
import { refuse } from './failures.ts';
import { compileWithin } from './match.ts';
import type { Operation } from './patch.ts';
import { asObject } from './paths.ts';
import { type Document, readAt } from './read.ts';

/** A member as it was written; which of the two it is may have to be looked up. */
export type Named = { readonly id: string; readonly kind: 'User' | 'Group' | undefined };

export type MemberEdit = {
  /** Whoever is not in `add` is taken out. */
  readonly exact: boolean;
  readonly add: readonly Named[];
  readonly remove: readonly string[];
};

export const memberKey = (member: Member): string => member.slice(member.indexOf(':') + 1);

/** The members of a whole resource. Throws `grants/scim-invalid`. */
export const readMembers = (document: Document): readonly Named[] =>
  ((document['members'] ?? []) as Document[]).map(namedIn);

const namedIn = (written: unknown): Named => {
  const { value, type, $ref } = asObject(written) ?? {};
  if (typeof value !== 'string' || value === '')
    throw refuse('invalidValue', 'a member has a value: the id of a User or a Group');
  const said =
    typeof type === 'string'
      ? type.toLowerCase()
      : typeof $ref === 'string'
        ? /\/(users|groups)\//i.exec($ref)?.[1]
        : undefined;
  const lower = said?.toLowerCase();
  const kind = lower?.startsWith('user') ? 'User' : lower?.startsWith('group') ? 'Group' : undefined;
  return { id: value, kind };
};

/** Undefined where none of the operations is about members. `current` is asked only where a filter makes it necessary. */
export const editOf = (operations: readonly Operation[], current: () => readonly Member[]): MemberEdit | undefined => {
  let exact = false;
  let touched = false;
  const add = new Map<string, Named>();
  const remove = new Set<string>();
  const present = (): Document[] => {
    const all = new Map<string, Document>();
    if (!exact)
      for (const member of current())
        all.set(memberKey(member), { value: memberKey(member), type: member.startsWith('group:') ? 'Group' : 'User' });
    for (const id of remove) all.delete(id);
    for (const { id, kind } of add.values()) all.set(id, { value: id, ...(kind !== undefined && { type: kind }) });
    return [...all.values()];
  };
  for (const { op, target, value } of operations) {
    const { attribute, sub, filter } = target;
    if (attribute?.name !== 'members') continue;
    touched = true;
    if (sub !== undefined) throw refuse('mutability', 'who a member is cannot be changed: remove it and add the other');
    if (filter !== undefined) {
      if (op !== 'remove') throw refuse('mutability', 'who a member is cannot be changed: remove it and add the other');
      const alone = filter.op === 'eq' && filter.path.toLowerCase() === 'value' ? filter.value : undefined;
      const gone =
        typeof alone === 'string'
          ? [alone]
          : present()
              .filter(compileWithin(attribute, filter))
              .map((each) => String(each['value']));
      for (const id of gone) {
        add.delete(id);
        remove.add(id);
      }
      continue;
    }
    const written = ((readAt({ attribute }, value) ?? []) as unknown[]).map(namedIn);
    if (op === 'replace' || (op === 'remove' && value === undefined)) {
      exact = true;
      add.clear();
      remove.clear();
    }
    for (const member of written)
      if (op === 'remove') {
        add.delete(member.id);
        remove.add(member.id);
      } else {
        remove.delete(member.id);
        add.set(member.id, member);
      }
  }
  return touched ? { exact, add: [...add.values()], remove: [...remove] } : undefined;
};
