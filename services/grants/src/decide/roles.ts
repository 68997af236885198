/** Roles: defining one also settles who holds it by birthright, in the same append. */
import {
  canonicalJson,
  type FactDraft,
  type GrantId,
  type Organisation,
  type RoleName,
  type RoleRules,
} from '@postern/schemas';
import type { Circumstances, Decider } from './command.ts';
import { because, draft, facts, from, nothing, refused } from './drafts.ts';
import { isBirthright } from './principals.ts';

export const defineRole: Decider<'define-role'> = ({ role, rules, reason, commit }, organisation, at) => {
  const before = organisation.roles.get(role);
  if (before && canonicalJson(before) === canonicalJson(rules)) return nothing;
  return facts(
    before
      ? draft(
          'postern.role.changed.v1',
          `role:${role}`,
          { role, before, rules, ...because(reason), ...from(commit) },
          at,
        )
      : draft('postern.role.defined.v1', `role:${role}`, { role, rules, ...because(reason), ...from(commit) }, at),
    ...settleBirthrights(organisation, role, rules, at),
  );
};

export const retireRole: Decider<'retire-role'> = ({ role, reason, commit }, organisation, at) => {
  if (!organisation.roles.has(role))
    return refused('grants/unknown-role', { detail: `the role ${role} is not defined` });
  return facts(draft('postern.role.retired.v1', `role:${role}`, { role, ...because(reason), ...from(commit) }, at));
};

const settleBirthrights = (
  organisation: Organisation,
  role: RoleName,
  rules: RoleRules,
  at: Circumstances,
): FactDraft[] => {
  const drafts: FactDraft[] = [];
  for (const { id: principal, attributes, state } of organisation.principals.values()) {
    if (state !== 'active') continue;
    const held = organisation.grantsOf(principal).find((grant) => grant.role === role && grant.origin === 'birthright');
    const due = isBirthright(rules, attributes);
    if (held && !due)
      drafts.push(
        draft(
          'postern.grant.revoked.v1',
          principal,
          { grant: held.id, subject: principal, role, reason: 'the role no longer has this birthright' },
          at,
        ),
      );
    if (!held && due) {
      const id = at.newId() as GrantId;
      const reason = `birthright: ${Object.entries(rules.birthright ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .join(', ')}`;
      drafts.push(
        draft(
          'postern.grant.issued.v1',
          principal,
          { grant: id, subject: principal, role, origin: 'birthright', reason },
          at,
          id,
        ),
      );
    }
  }
  return drafts;
};
