/** Roles that follow attributes: who is due them, and who does not get them all the same. */
import type {
  Attributes,
  FactDraft,
  Grant,
  GrantId,
  Organisation,
  PrincipalId,
  RoleName,
  RoleRules,
  SubjectId,
} from '@postern/schemas';
import type { Circumstances, Decider } from './command.ts';
import { draft, facts } from './drafts.ts';
import { areSeparate, rolesHeldBy } from './duties.ts';

/** Does this person's department, title and so on give them the role? */
export const isBirthright = ({ birthright }: RoleRules, attributes: Attributes): boolean =>
  birthright !== undefined &&
  Object.entries(birthright).every(([name, value]) => attributes[name as keyof Attributes] === value);

/**
 * The grants to issue and revoke so that exactly the birthrights of these attributes are held. What the person holds besides and may
 * not be held together with a new birthright ends in the same append: it was for the work before. What cannot end here, because a
 * group gives it or another birthright is it, withholds the new one.
 */
export const birthrights = (
  organisation: Organisation,
  principal: PrincipalId,
  attributes: Attributes,
  at: Circumstances,
): FactDraft[] => {
  const grants = organisation.grantsOf(principal);
  const held = grants.filter(({ origin }) => origin === 'birthright');
  const due = [...organisation.roles].filter(([, rules]) => isBirthright(rules, attributes)).map(([role]) => role);
  const over = held.filter(({ role }) => !due.includes(role));
  const known = organisation.principals.get(principal);
  // What was revoked comes back with another job, not with another desk.
  const away = due.filter((role) => {
    const rules = organisation.roles.get(role);
    return (
      known?.state === 'active' &&
      organisation.life.withheld(principal, role)?.because === 'revoked' &&
      rules !== undefined &&
      isBirthright(rules, known.attributes)
    );
  });
  const gained = due.filter((role) => !away.includes(role) && !held.some((grant) => grant.role === role)).sort();
  const others = grants.filter(({ origin }) => origin !== 'birthright');
  const staying = rolesHeldBy(organisation, principal, new Set([...over, ...others].map(({ id }) => id)));
  const given: RoleName[] = [];
  const withheld: FactDraft[] = [];
  for (const role of gained) {
    const against = [...staying].find((other) => areSeparate(organisation, role, other));
    if (against === undefined) {
      given.push(role);
      staying.add(role);
    } else withheld.push(withholding(principal, role, against, at));
  }
  const yielding = others.filter((grant) => given.some((role) => areSeparate(organisation, role, grant.role)));
  const separateFrom = ({ role }: Grant) => given.find((each) => areSeparate(organisation, each, role));
  return [
    ...over.map((grant) =>
      taken(grant, `no longer a birthright: ${attributesText(organisation.roles.get(grant.role))}`, at),
    ),
    ...yielding.map((grant) =>
      taken(grant, `kept separate from ${separateFrom(grant)}, which is a birthright now`, at),
    ),
    ...given.map((role) => birthright(principal, role, organisation.roles.get(role), at)),
    ...withheld,
    ...away.map((role) =>
      draft(
        'postern.birthright.withheld.v1',
        principal,
        {
          principal,
          role,
          because: 'revoked',
          reason: organisation.life.withheld(principal, role)?.reason ?? 'revoked',
        },
        at,
      ),
    ),
  ];
};

/** Of birthrights that several new rules give the same person at once, the first; what must be kept separate from it is withheld. */
export const withoutConflicts = (
  drafts: readonly FactDraft[],
  rules: ReadonlyMap<RoleName, RoleRules>,
  at: Circumstances,
): FactDraft[] => {
  const given = new Map<string, RoleName[]>();
  const names = (a: RoleName, b: RoleName): boolean => rules.get(a)?.separateFrom?.includes(b) === true;
  return drafts.map((each) => {
    if (each.type !== 'postern.grant.issued.v1' || each.data.origin !== 'birthright') return each;
    const { subject, role } = each.data;
    const before = given.get(subject) ?? [];
    const against = before.find((other) => names(role, other) || names(other, role));
    if (against !== undefined) return withholding(subject as unknown as PrincipalId, role, against, at);
    given.set(subject, [...before, role]);
    return each;
  });
};

/** Who gets and who loses a role by birthright when its rules change. Nobody loses anything else for it: a conflict withholds. */
export const settleBirthrights = (
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
    if (held && !due) drafts.push(taken(held, 'the role no longer has this birthright', at));
    if (held || !due) continue;
    const before = organisation.life.withheld(principal, role)?.because;
    if (before === 'revoked') continue;
    const against = conflicting(organisation, principal, role, rules);
    if (against === undefined) drafts.push(birthright(principal, role, rules, at));
    else if (before === undefined) drafts.push(withholding(principal, role, against, at));
  }
  return drafts;
};

/** Gives what was withheld for the sake of separate duties, where nothing stands against it any more. */
export const restoreBirthrights: Decider<'restore-birthrights'> = (_command, organisation, at) => {
  const drafts: FactDraft[] = [];
  const met = new Set<PrincipalId>();
  for (const { principal, role, because } of organisation.life.allWithheld()) {
    const rules = organisation.roles.get(role);
    const known = organisation.principals.get(principal);
    if (because !== 'separation-of-duties' || rules === undefined || known?.state !== 'active') continue;
    // One at a time for each: what is given now may stand against the next.
    if (met.has(principal) || !isBirthright(rules, known.attributes)) continue;
    if (conflicting(organisation, principal, role, rules) !== undefined) continue;
    met.add(principal);
    drafts.push(birthright(principal, role, rules, at));
    if (drafts.length >= 500) break;
  }
  return facts(...drafts);
};

/** `rules`: those that the role is about to have. */
const conflicting = (
  organisation: Organisation,
  principal: PrincipalId,
  role: RoleName,
  { separateFrom = [] }: RoleRules,
): RoleName | undefined =>
  [...rolesHeldBy(organisation, principal)].find(
    (other) => separateFrom.includes(other) || organisation.roles.get(other)?.separateFrom?.includes(role) === true,
  );

const attributesText = (rules: RoleRules | undefined): string =>
  Object.entries(rules?.birthright ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');

const taken = ({ id: grant, subject, role }: Grant, reason: string, at: Circumstances): FactDraft =>
  draft('postern.grant.revoked.v1', subject, { grant, subject, role, reason }, at);

const birthright = (
  principal: PrincipalId,
  role: RoleName,
  rules: RoleRules | undefined,
  at: Circumstances,
): FactDraft => {
  const grant = at.newId() as GrantId;
  const subject = principal as unknown as SubjectId;
  const reason = `birthright: ${attributesText(rules)}`;
  return draft('postern.grant.issued.v1', principal, { grant, subject, role, origin: 'birthright', reason }, at, grant);
};

const withholding = (principal: PrincipalId, role: RoleName, against: RoleName, at: Circumstances): FactDraft =>
  draft(
    'postern.birthright.withheld.v1',
    principal,
    {
      principal,
      role,
      because: 'separation-of-duties',
      reason: `kept separate from ${against}, which ${principal} holds`,
    },
    at,
  );
