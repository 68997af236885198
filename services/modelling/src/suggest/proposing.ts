/** From needs to the fewest roles: one for each audience and everything that it needs, and a live role where one fits exactly. */
import {
  type Allowance,
  type EndpointId,
  type Organisation,
  opensEndpoint,
  type RoleName,
  type RoleRules,
  type SubjectId,
} from '@postern/schemas';
import type { Subject } from '../preview/use.ts';
import { type Audience, audiencesOver } from './audiences.ts';
import type { Needs, ObjectNeed } from './needs.ts';

export type Proposal = {
  readonly role: string;
  readonly rules: RoleRules;
  /** "department finance: 7 of 9 people". */
  readonly for: string;
  /** Whom grants of it name; empty where the role is a birthright. */
  readonly holders: readonly SubjectId[];
  readonly uses: number;
};
/** A live role that allows what is needed and nothing more. */
export type ProposedGrant = { readonly subject: SubjectId; readonly role: RoleName; readonly uses: number };
export type Proposed = { readonly proposals: readonly Proposal[]; readonly grants: readonly ProposedGrant[] };

type Open = {
  readonly audience: Audience;
  readonly things: Map<string, { allowance: Allowance; uses: number; by: Set<Subject> }>;
};

export const propose = (
  organisation: Organisation,
  endpoints: Needs<EndpointId>,
  objects: Needs<ObjectNeed>,
  adoption: number,
): Proposed => {
  const audiencesOf = audiencesOver(organisation, adoption);
  const open = new Map<string, Open>();
  const take = (key: string, allowance: Allowance, callers: ReadonlyMap<Subject, number>): void => {
    for (const audience of audiencesOf(new Set(callers.keys()))) {
      const entry = open.get(audience.key) ?? { audience, things: new Map() };
      const by = new Set([...callers.keys()].filter((each) => audience.members.has(each)));
      const uses = [...by].reduce((sum, each) => sum + (callers.get(each) ?? 0), 0);
      entry.things.set(key, { allowance, uses, by });
      open.set(audience.key, entry);
    }
  };
  for (const [endpoint, { callers }] of endpoints) take(endpoint, { endpoint: endpoint as EndpointId }, callers);
  for (const [key, { thing, callers }] of objects)
    take(key, { object: thing.resource, permission: thing.permission }, callers);

  const grants: ProposedGrant[] = [];
  for (const entry of open.values()) grants.push(...fittingRoles(organisation, entry));
  // Those whose needs are the same, and who hold it by a grant anyway, share a role.
  const roles = new Map<string, Open[]>();
  for (const entry of open.values()) {
    if (entry.things.size === 0) continue;
    const needs = [...entry.things.keys()].sort().join(' ');
    const key = entry.audience.birthright === undefined ? needs : `${entry.audience.key} ${needs}`;
    roles.set(key, [...(roles.get(key) ?? []), entry]);
  }
  const taken = new Set<string>(organisation.roles.keys());
  const proposals = [...roles.values()].map((entries) => toProposal(entries, taken));
  proposals.sort((a, b) => b.uses - a.uses || a.role.localeCompare(b.role));
  return { proposals, grants };
};

/** Takes out of the entry what live roles give that open nothing else. Roles with rules for their giving are for people to give. */
const fittingRoles = (organisation: Organisation, { audience, things }: Open): ProposedGrant[] => {
  const { holder } = audience;
  if (holder === undefined) return [];
  const fitting = [...organisation.roles].flatMap(([role, rules]) => {
    const { allows, birthright, approvers, maxDuration, separateFrom } = rules;
    if (role.startsWith('postern-') || birthright || approvers || maxDuration || separateFrom) return [];
    if (allows.some((each) => 'object' in each)) return [];
    const opened = endpointsOf(organisation, allows);
    return opened.length > 0 && opened.every((each) => things.has(each)) ? [{ role, opened }] : [];
  });
  const grants: ProposedGrant[] = [];
  for (const { role, opened } of fitting.sort((a, b) => b.opened.length - a.opened.length)) {
    const given = opened.filter((each) => things.has(each));
    if (given.length === 0) continue;
    grants.push({ subject: holder, role, uses: given.reduce((sum, each) => sum + (things.get(each)?.uses ?? 0), 0) });
    for (const each of given) things.delete(each);
  }
  return grants;
};

const endpointsOf = (organisation: Organisation, allows: readonly Allowance[]): EndpointId[] =>
  [...organisation.services].flatMap(([name, { endpoints }]) =>
    endpoints.flatMap((endpoint) => (allows.some((each) => opensEndpoint(each, name, endpoint)) ? [endpoint.id] : [])),
  );

const namedMax = 3;

const toProposal = (entries: readonly Open[], taken: Set<string>): Proposal => {
  const [first] = entries;
  const audiences = entries.map(({ audience }) => audience);
  const allows = [...(first?.things ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { allowance }]) => allowance);
  const uses = entries.reduce(
    (sum, { things }) => sum + [...things.values()].reduce((all, each) => all + each.uses, 0),
    0,
  );
  const callers = new Set(entries.flatMap(({ things }) => [...things.values()].flatMap(({ by }) => [...by])));
  const members = new Set(audiences.flatMap((each) => [...each.members]));
  const more = audiences.length > namedMax ? ` and ${audiences.length - namedMax} more` : '';
  const names = `${audiences
    .slice(0, namedMax)
    .map(({ name }) => name)
    .join(', ')}${more}`;
  const whole = members.size === 1 && audiences[0]?.members.has(audiences[0].name) === true;
  const whom = whole ? names : `${names}: used by ${callers.size} of ${members.size}`;
  const birthright = audiences[0]?.birthright;
  const description = `Proposed from use: ${whom}, ${uses.toLocaleString('en')} ${uses === 1 ? 'call' : 'calls'}`.slice(
    0,
    500,
  );
  return {
    role: unusedName(nameOf(audiences, allows), taken),
    rules: { description, allows, ...(birthright !== undefined && { birthright }) },
    for: whom,
    holders: birthright === undefined ? audiences.flatMap(({ holder }) => holder ?? []).sort() : [],
    uses,
  };
};

/** By whom, where that is one audience; else by what it opens. */
const nameOf = (audiences: readonly Audience[], allows: readonly Allowance[]): string => {
  const [only] = audiences;
  if (audiences.length === 1 && only !== undefined) {
    const { department, title } = only.birthright ?? {};
    return slug(
      `used-by-${department === undefined ? only.key.replace(/^group:/, '') : `${department}-${title ?? ''}`}`,
    );
  }
  const opened = allows.flatMap((each) => ('endpoint' in each ? [each.endpoint] : []));
  const services = new Set(opened.map((each) => each.split('/')[0]));
  if (opened.length === 1) return slug(`uses-${opened[0]}`);
  return slug(services.size === 1 ? `uses-${[...services][0]}` : 'uses-several');
};

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 58)
    .replace(/-$/, '');

/** A live role of this name keeps its rules; the proposal stands beside it. */
const unusedName = (name: string, taken: Set<string>): string => {
  let role = name;
  for (let n = 2; taken.has(role); n++) role = `${name}-${n}`;
  taken.add(role);
  return role;
};
