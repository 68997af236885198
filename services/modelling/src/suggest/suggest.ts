/**
 * The smallest roles that would have allowed what was used, a role for each set of people who are alike: by group, else by
 * department. What they hold and never used is listed beside it.
 */
import type {
  Allowance,
  Attributes,
  EndpointId,
  Organisation,
  PrincipalId,
  RoleName,
  RoleRules,
} from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import { type GatherOptions, gather } from '../preview/gather.ts';
import type { ReadUse, Subject } from '../preview/use.ts';

export type Proposal = {
  readonly role: string;
  readonly rules: RoleRules;
  readonly for: string;
  readonly uses: number;
};
export type Unused = { readonly role: string; readonly endpoint: EndpointId; readonly holders: number };
export type Suggestion = {
  readonly proposals: readonly Proposal[];
  /** Held through a role by somebody, and called by nobody who holds it. */
  readonly unused: readonly Unused[];
  readonly read: number;
  readonly from: string | undefined;
  readonly until: string | undefined;
  readonly leftOut: readonly { readonly why: string; readonly uses: number }[];
};
type Input = Pick<GatherOptions, 'sinceMs'> & { readonly live: FoldedModel; readonly uses: AsyncIterable<ReadUse> };

const covers = { read: ['read'], write: ['read', 'write'], admin: ['read', 'write', 'admin'] } as const;

/** Only what got through, and what observe mode let through, is proposed: a refused call shows no need. */
export const suggest = async ({ live, uses, sinceMs }: Input): Promise<Suggestion> => {
  const { organisation } = live;
  const options = { live: organisation, here: organisation, ...(sinceMs !== undefined && { sinceMs }) };
  const { pairs, leftOut, read, from, until } = await gather(throughOnly(uses), options);
  const routed = pairs.flatMap((pair) => {
    const [context] = pair.circumstances.values();
    return pair.live === undefined || context === undefined || pair.subjects.length === 0
      ? []
      : [{ ...pair, endpoint: pair.live, context: context.context }];
  });
  const answers = await live.decide(routed.map(({ subjects, endpoint, context }) => ({ subjects, endpoint, context })));
  const missing = new Map<string, { for: string; birthright?: Attributes; endpoints: Map<EndpointId, number> }>();
  for (const [at, { subjects, endpoint, uses }] of routed.entries()) {
    const [principal] = subjects;
    if (answers[at]?.outcome === 'allow' || principal === undefined || endpoint.startsWith('postern/')) continue;
    const likeness = likenessOf(organisation, principal);
    const open = missing.get(likeness.role) ?? { ...likeness, endpoints: new Map() };
    open.endpoints.set(endpoint, (open.endpoints.get(endpoint) ?? 0) + uses);
    missing.set(likeness.role, open);
  }
  const proposals = [...missing].map(([name, { for: whom, birthright, endpoints }]): Proposal => {
    const names = [...endpoints.keys()].sort();
    const total = [...endpoints.values()].reduce((sum, uses) => sum + uses, 0);
    const allows = names.map((endpoint): Allowance => ({ endpoint }));
    const description = `Proposed from use: ${whom}`;
    const role = unusedName(organisation, name);
    return { role, for: whom, uses: total, rules: { description, allows, ...(birthright && { birthright }) } };
  });
  proposals.sort((a, b) => b.uses - a.uses || a.role.localeCompare(b.role));
  return {
    proposals,
    unused: unusedOf(
      organisation,
      routed.filter((_, at) => answers[at]?.outcome === 'allow'),
    ),
    read,
    from,
    until,
    leftOut: [...leftOut].map(([why, uses]) => ({ why, uses })),
  };
};

async function* throughOnly(uses: AsyncIterable<ReadUse>): AsyncGenerator<ReadUse> {
  for await (const each of uses)
    yield each.outcome === 'use' && !each.use.allowed ? { outcome: 'left-out', why: 'refused when it was made' } : each;
}

/** Whom a person is most like: their smallest group, else their department, else nobody but themselves. */
const likenessOf = (
  organisation: Organisation,
  subject: Subject,
): { role: string; for: string; birthright?: Attributes } => {
  const groups = [...organisation.groups.around(subject as PrincipalId)]
    .map((group) => ({ group, size: [...organisation.groups.inside(group)].length }))
    .sort((a, b) => a.size - b.size || a.group.localeCompare(b.group));
  const [smallest] = groups;
  if (smallest) return { role: roleName(smallest.group.slice('group:'.length)), for: `${smallest.group}#member` };
  const department = organisation.principals.get(subject as PrincipalId)?.attributes.department;
  if (department !== undefined)
    return { role: roleName(department), for: `department ${department}`, birthright: { department } };
  return { role: roleName(subject.replace(':', '-')), for: subject };
};

const roleName = (text: string): string =>
  `used-by-${text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')}`
    .slice(0, 60)
    .replace(/-$/, '');

/** A live role of this name keeps its rules; the proposal stands beside it. */
const unusedName = (organisation: Organisation, name: string): string => {
  let role = name;
  for (let n = 2; organisation.roles.has(role as RoleName); n++) role = `${name}-${n}`;
  return role;
};

const unusedOf = (
  organisation: Organisation,
  used: readonly { readonly subjects: readonly Subject[]; readonly endpoint: EndpointId }[],
): Unused[] => {
  const callers = new Map<EndpointId, Set<string>>();
  for (const { subjects, endpoint } of used)
    callers.set(endpoint, new Set([...(callers.get(endpoint) ?? []), ...subjects]));
  const holders = new Map<string, Set<string>>();
  for (const { role, subject } of organisation.grants.values()) {
    const held = holders.get(role) ?? new Set();
    holders.set(role, held);
    const group = /^(group:.*)#member$/.exec(subject)?.[1];
    if (group === undefined) held.add(subject);
    else for (const member of organisation.groups.inside(group as never)) held.add(member);
  }
  const unused: Unused[] = [];
  for (const [role, { allows }] of organisation.roles) {
    const held = holders.get(role);
    if (held === undefined || role.startsWith('postern-')) continue;
    for (const endpoint of endpointsOf(organisation, allows))
      if (![...held].some((holder) => callers.get(endpoint)?.has(holder)))
        unused.push({ role, endpoint, holders: held.size });
  }
  return unused;
};

const endpointsOf = (organisation: Organisation, allows: readonly Allowance[]): EndpointId[] =>
  allows.flatMap((allowance) => {
    if ('object' in allowance) return [];
    if ('endpoint' in allowance) return [allowance.endpoint];
    const classes: readonly string[] = covers[allowance.access];
    const endpoints = organisation.services.get(allowance.service)?.endpoints ?? [];
    return endpoints.flatMap(({ id, access, opaque }) => (classes.includes(access) && opaque !== true ? [id] : []));
  });
