/** Roles that are wider than they look, that nobody can hold, or that contradict themselves. */
import type { ModelPlaces } from '@postern/runtime';
import { type Allowance, type Endpoint, posternRoles, type RoleName, type RoleRules } from '@postern/schemas';
import type { Model } from '../folded-model.ts';
import { allowanceText, opens, rank, type Say } from './opens.ts';

type Pairs = readonly { readonly service: string; readonly endpoint: Endpoint }[];

export const lintRoles = ({ services, roles }: Model, places: ModelPlaces, say: Say): void => {
  const endpoints = services.flatMap(({ name, endpoints }) =>
    endpoints.map((endpoint) => ({ service: name, endpoint })),
  );
  const reachable = reachableRoles(roles);
  for (const [role, rules] of roles) {
    const place = (...path: readonly PropertyKey[]) => places.role(role, ...path);
    lintAllowances(role, rules, services, endpoints, place, say);
    lintApprovers(role, rules, roles, place, say);
    if (!reachable.has(role))
      say(
        'role/unreachable',
        'warning',
        place('approvers'),
        `nobody can come to hold ${role}: only those approve it who would have to hold it, or one like it, before`,
        'name manager or a role that somebody can hold',
      );
    if (rules.birthright !== undefined && rules.maxDuration !== undefined)
      say(
        'role/unreachable',
        'warning',
        place('maxDuration'),
        `${role} is given for at most ${rules.maxDuration}, and as a birthright without an end`,
        'remove one of them',
      );
  }
  for (const [role, other] of separated(roles))
    lintDuties(role, other, roles, endpoints, places.role(role, 'separateFrom'), say);
};

type PlaceIn = (...path: readonly PropertyKey[]) => { readonly file: string; readonly line: number };

const lintAllowances = (
  role: RoleName,
  { allows }: RoleRules,
  services: Model['services'],
  endpoints: Pairs,
  place: PlaceIn,
  say: Say,
): void => {
  for (const [n, each] of allows.entries()) {
    const covering = allows.find(
      (other, m) => m !== n && includes(other, each, endpoints) && !(m > n && includes(each, other, endpoints)),
    );
    if (covering !== undefined)
      say(
        'role/redundant',
        'warning',
        place('allows', n),
        `${role}: ${allowanceText(each)} is part of ${allowanceText(covering)}`,
        'remove it',
      );
    if (!('service' in each) || !services.some(({ name }) => name === each.service)) continue;
    const classes = new Set(
      endpoints.flatMap(({ service, endpoint }) => (opens(each, service, endpoint) ? [endpoint.access] : [])),
    );
    if (each.access === 'admin')
      say(
        'role/wide',
        'warning',
        place('allows', n),
        `${role} administers all of ${each.service}, now and whatever is added to it`,
        'name the endpoints, or give write access',
      );
    else if (each.access === 'write' && !classes.has('write'))
      say(
        'role/write-for-reads',
        'warning',
        place('allows', n),
        `${role} gives write access to ${each.service}, which has nothing to write`,
        'give read access',
      );
    else if (classes.size === 0)
      say(
        'role/empty',
        'warning',
        place('allows', n),
        `${role}: ${each.service} has no endpoint of class ${each.access}`,
        'name what it is for, or remove it',
      );
  }
};

/** Everything `inner` opens, `outer` opens too, whatever is added to the services later. */
const includes = (outer: Allowance, inner: Allowance, endpoints: Pairs): boolean => {
  if ('service' in inner)
    return 'service' in outer && outer.service === inner.service && rank[inner.access] <= rank[outer.access];
  if (!('endpoint' in inner)) return JSON.stringify(outer) === JSON.stringify(inner);
  return endpoints.some(({ service, endpoint }) => endpoint.id === inner.endpoint && opens(outer, service, endpoint));
};

const lintApprovers = (
  role: RoleName,
  { approvers = [], owner, approvals, breakGlass }: RoleRules,
  roles: Model['roles'],
  place: PlaceIn,
  say: Say,
): void => {
  if (typeof approvals === 'number' && approvers.length === 0)
    say(
      'role/approver',
      'error',
      place('approvals'),
      `${role} needs ${approvals} approvals, and names no approvers`,
      'name them, or remove approvals',
    );
  for (const approver of [...approvers, ...(breakGlass?.for ?? []), ...(breakGlass?.reviewers ?? [])]) {
    const named = approverRole(approver);
    if (approver === 'owner' && owner === undefined)
      say(
        'role/approver',
        'error',
        place('approvers'),
        `${role} is approved by its owner, and has none`,
        'name one: owner: user:NAME or role:NAME',
      );
    else if (named === undefined && !/^(manager$|owner$|user:\S|group:\S)/.test(approver))
      say(
        'role/approver',
        'error',
        place('approvers'),
        `${role} is approved by "${approver}", which is no approver`,
        'write manager, owner, role:NAME or user:NAME',
      );
    if (named !== undefined && !roles.has(named) && !(named in posternRoles))
      say(
        'role/approver',
        'error',
        place('approvers'),
        `${role} is approved by ${approver}, which is no role here`,
        `roles: ${[...roles.keys()].join(', ')}`,
      );
  }
};

const approverRole = (approver: string): RoleName | undefined =>
  approver.startsWith('role:') ? (approver.slice('role:'.length) as RoleName) : undefined;

/** Roles that somebody can come to hold: by birthright, or approved by nobody, a manager, or who can hold their own role. */
const reachableRoles = (roles: Model['roles']): ReadonlySet<RoleName> => {
  const reachable = new Set<RoleName>();
  for (let before = -1; before < reachable.size; ) {
    before = reachable.size;
    for (const [role, { approvers = [], birthright }] of roles) {
      const approved = approvers.some((approver) => {
        const named = approverRole(approver);
        // An approver that is no role here is a mistake of its own.
        return named === undefined || !roles.has(named) || reachable.has(named);
      });
      if (birthright !== undefined || approvers.length === 0 || approved) reachable.add(role);
    }
  }
  return reachable;
};

/** Each pair once, as the first of the two to name the other has it. */
const separated = (roles: Model['roles']): (readonly [RoleName, RoleName])[] => {
  const pairs = new Map<string, readonly [RoleName, RoleName]>();
  for (const [role, { separateFrom = [] }] of roles)
    for (const other of separateFrom) {
      const key = [role, other].sort().join(' ');
      if (!pairs.has(key)) pairs.set(key, [role, other]);
    }
  return [...pairs.values()];
};

const lintDuties = (
  role: RoleName,
  other: RoleName,
  roles: Model['roles'],
  endpoints: Pairs,
  place: { readonly file: string; readonly line: number },
  say: Say,
): void => {
  if (role === other) {
    say('role/duties', 'error', place, `${role} is kept separate from itself: nobody may hold it`, 'remove it');
    return;
  }
  const [mine, theirs] = [roles.get(role), roles.get(other)];
  if (mine === undefined || theirs === undefined) return;
  if (mine.birthright && theirs.birthright && compatible(mine.birthright, theirs.birthright))
    say(
      'role/duties',
      'error',
      place,
      `${role} and ${other} are kept separate, and somebody with ${attributesText({ ...mine.birthright, ...theirs.birthright })} has both by birthright`,
      'let their birthrights exclude each other',
    );
  const opened = ({ allows }: RoleRules) =>
    endpoints.filter(({ service, endpoint }) => allows.some((each) => opens(each, service, endpoint)));
  const [ours, others] = [opened(mine), opened(theirs)];
  const [small, large, smaller, larger] =
    ours.length <= others.length ? [role, other, ours, others] : [other, role, others, ours];
  if (smaller.length > 0 && smaller.every((each) => larger.includes(each)))
    say(
      'role/duties',
      'warning',
      place,
      `${role} and ${other} are kept separate, and ${large} opens everything that ${small} opens: the separation separates nothing`,
      `take what ${small} opens out of ${large}`,
    );
};

type Attributes = Readonly<Record<string, string | undefined>>;
const compatible = (a: Attributes, b: Attributes): boolean =>
  Object.entries(a).every(([name, value]) => b[name] === undefined || b[name] === value);
const attributesText = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
