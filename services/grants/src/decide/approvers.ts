/** Who may decide about somebody's access: the rule of the role, and never oneself. */
import {
  type Organisation,
  type PrincipalId,
  posternAdmin,
  type RoleName,
  type RoleRules,
  type SubjectId,
} from '@postern/schemas';
import type { Decided, Deciding } from './command.ts';
import { refused } from './drafts.ts';

/** What is decided about. */
export type Matter = { readonly subject: SubjectId; readonly role: RoleName };

/** Nobody decides about their own access: not by an agent, and not with a key that they were shown for somebody else. */
export const decidesForOneself = (
  organisation: Organisation,
  { principal, credential, through }: Deciding,
  people: readonly string[],
): Decided | undefined => {
  if (through.length > 0 || !principal.startsWith('user:'))
    return refused('grants/not-your-decision', {
      detail: `${[principal, ...through].join(' through ')} is no person who decides in their own name`,
      fix: 'Decide with your own token or key.',
    });
  const shown = credential === undefined ? undefined : organisation.credentials.get(credential)?.by;
  const self = people.includes(principal) ? principal : people.find((person) => person === shown);
  if (self === undefined) return undefined;
  return refused('grants/oneself', {
    detail:
      self === principal
        ? `${principal} would decide about access that is their own, or that they asked for`
        : `${self} would decide about their own access with a key of ${principal} that ${self} was shown`,
    fix: 'Let somebody else decide.',
  });
};

/** `role:NAME`, `user:NAME`, `group:NAME#member`, `manager` of the holder, `owner` of the role. */
export const standsFor = (
  organisation: Organisation,
  named: string,
  person: PrincipalId,
  matter: Matter,
  now: string,
): boolean => {
  if (organisation.principals.get(person)?.state !== 'active') return false;
  if (named === 'manager') return managerOf(organisation, matter.subject) === person;
  if (named === 'owner') {
    const owner = organisation.roles.get(matter.role)?.owner;
    return owner !== undefined && standsFor(organisation, owner, person, matter, now);
  }
  if (named.startsWith('role:')) return holds(organisation, person, named.slice('role:'.length) as RoleName, now);
  if (named.startsWith('group:'))
    return organisation.groups
      .inside(named.replace(/#member$/, '') as Parameters<typeof organisation.groups.inside>[0])
      .has(person);
  return named === person;
};

export const managerOf = ({ principals }: Organisation, subject: SubjectId): PrincipalId | undefined =>
  principals.get(subject as unknown as PrincipalId)?.attributes.manager;

/** Conditions other than time cannot be judged here, so whoever holds the role only under them does not count. */
const holds = (organisation: Organisation, person: PrincipalId, role: RoleName, now: string): boolean => {
  const holders = [
    person as SubjectId,
    ...[...organisation.groups.around(person)].map((group) => `${group}#member` as SubjectId),
  ];
  return holders.some((holder) =>
    organisation.grantsOf(holder).some((grant) => grant.role === role && countsAt(grant, now)),
  );
};
const countsAt = ({ conditions = {} }: { readonly conditions?: object }, now: string): boolean => {
  const { from, until, ...others } = conditions as { from?: string; until?: string };
  const at = Date.parse(now);
  return (
    Object.keys(others).length === 0 &&
    (from === undefined || Date.parse(from) <= at) &&
    (until === undefined || at < Date.parse(until))
  );
};

export type ApprovalRule = { readonly approvers: readonly string[]; readonly approvals: number | 'all' };
export const ruleOf = ({ approvers = [], approvals = 1 }: RoleRules): ApprovalRule => ({ approvers, approvals });

/** Who looks at a use of break-glass afterwards. */
export const breakGlassReviewers = (rules: RoleRules | undefined): readonly string[] =>
  rules?.breakGlass?.reviewers ?? rules?.approvers ?? [`role:${posternAdmin}`];

/** As which approvers of the rule the person counts. */
export const asApprover = (
  organisation: Organisation,
  { approvers }: Pick<ApprovalRule, 'approvers'>,
  person: PrincipalId,
  matter: Matter,
  now: string,
): string[] =>
  person.startsWith('user:') ? approvers.filter((named) => standsFor(organisation, named, person, matter, now)) : [];

/** Are these different people enough? `capacities`: for each of them, the approvers of the rule that they are. */
export const suffice = (
  { approvers, approvals }: ApprovalRule,
  capacities: readonly (readonly string[])[],
): boolean => {
  const counting = capacities.filter((each) => each.length > 0);
  if (approvals !== 'all') return approvers.length > 0 && counting.length >= approvals;
  // Each approver on the list by a person of its own: a matching, found by augmenting paths.
  const personOf = new Map<string, number>();
  const place = (named: string, tried: Set<number>): boolean => {
    for (const [person, capacity] of counting.entries()) {
      if (tried.has(person) || !capacity.includes(named)) continue;
      tried.add(person);
      const placed = [...personOf].find(([, each]) => each === person)?.[0];
      if (placed === undefined || place(placed, tried)) {
        personOf.set(named, person);
        return true;
      }
    }
    return false;
  };
  const distinct = [...new Set(approvers)];
  return distinct.length > 0 && distinct.every((named) => place(named, new Set()));
};

/** Could the rule be met at all now, by people none of whom is `without`? */
export const couldBeMet = (
  organisation: Organisation,
  rule: ApprovalRule,
  matter: Matter,
  without: readonly string[],
  now: string,
): boolean => {
  const enough = rule.approvals === 'all' ? rule.approvers.length : rule.approvals;
  const people = new Set<PrincipalId>();
  for (const named of rule.approvers) {
    let found = 0;
    for (const person of candidates(organisation, named, matter)) {
      if (found >= enough) break;
      if (without.includes(person) || people.has(person)) continue;
      if (!standsFor(organisation, named, person, matter, now)) continue;
      people.add(person);
      found++;
    }
  }
  return suffice(
    rule,
    [...people].map((person) => asApprover(organisation, rule, person, matter, now)),
  );
};

function* candidates(organisation: Organisation, named: string, matter: Matter): Generator<PrincipalId> {
  if (named === 'manager') {
    const manager = managerOf(organisation, matter.subject);
    if (manager !== undefined) yield manager;
  } else if (named === 'owner') {
    const owner = organisation.roles.get(matter.role)?.owner;
    if (owner !== undefined) yield* candidates(organisation, owner, matter);
  } else if (named.startsWith('role:')) {
    for (const { role, subject } of organisation.grants.values()) {
      if (role !== named.slice('role:'.length)) continue;
      if (subject.startsWith('group:')) yield* candidates(organisation, subject, matter);
      else if (subject.startsWith('user:')) yield subject as unknown as PrincipalId;
    }
  } else if (named.startsWith('group:'))
    yield* organisation.groups.inside(
      named.replace(/#member$/, '') as Parameters<typeof organisation.groups.inside>[0],
    );
  else yield named as PrincipalId;
}

export const ruleText = ({ approvers, approvals }: ApprovalRule): string =>
  approvals === 'all' ? approvers.join(' and ') : `${approvals} of ${approvers.join(', ')}`;
