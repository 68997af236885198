/** A large organisation before a large API: GitHub's REST description, hundreds of roles, thousands of people in teams. Made, not random. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FoldedModel, Model } from '@postern/modelling/app';
import {
  type Allowance,
  type Endpoint,
  endpointsFromOpenApi,
  type GroupId,
  gateSchema,
  PrincipalId,
  RoleName,
  RoleRules,
  SubjectId,
} from '@postern/schemas';
import { root } from '../world/embedded.ts';

export const sizes = { people: 3_000, teams: 150, roles: 300, departments: 25 } as const;

export const githubFile = join(root, 'schemas/fixtures/github-openapi.json');
const { endpoints } = endpointsFromOpenApi('github', JSON.parse(readFileSync(githubFile, 'utf8')));
export const githubEndpoints: readonly Endpoint[] = endpoints;

/** `github/repos/get` → `repos`: the areas that roles are cut along. */
const areas = [...Map.groupBy(endpoints, ({ id }) => id.split('/')[1] ?? '').entries()].map(([area, all]) => ({
  area,
  all,
}));

const roleOf = (n: number): [RoleName, RoleRules] => {
  const { area, all } = areas[n % areas.length] ?? { area: 'none', all: endpoints };
  const chosen = all.filter(({ access }, at) => (n % 3 === 0 ? access === 'read' : (at + n) % 4 !== 0)).slice(0, 60);
  const allows: Allowance[] = (chosen.length === 0 ? all.slice(0, 1) : chosen).map(({ id }) => ({ endpoint: id }));
  const birthright = n < sizes.departments ? { birthright: { department: `d${n}` } } : {};
  return [
    RoleName.parse(`role-${n}-${area.replace(/[^a-z0-9]/g, '-').slice(0, 30)}`),
    RoleRules.parse({ allows, ...birthright }),
  ];
};
const roles = new Map(Array.from({ length: sizes.roles }, (_, n) => roleOf(n)));
const roleNames = [...roles.keys()];

export const liveModel: Model = {
  schema: gateSchema,
  services: [{ name: 'github', mount: '/github', endpoints }],
  roles,
};

/** What a change would be: five roles lose an endpoint, five others win one, and a few endpoints begin to ask for a scope. */
export const changedModel = (): Model => {
  const changed = new Map(roles);
  for (let n = 0; n < 5; n++) {
    const [loser, winner] = [roleNames[n * 3 + 1], roleNames[n * 3 + 31]];
    const [loses, wins] = [loser && roles.get(loser), winner && roles.get(winner)];
    if (loser === undefined || winner === undefined || !loses || !wins) throw new Error('there are too few roles');
    changed.set(loser, { ...loses, allows: loses.allows.slice(1) });
    changed.set(winner, { ...wins, allows: [...wins.allows, ...loses.allows.slice(0, 1)] });
  }
  const scoped = endpoints.map((each, at) => (at % 250 === 0 ? { ...each, scopes: ['repo'] } : each));
  return { ...liveModel, services: [{ name: 'github', mount: '/github', endpoints: scoped }], roles: changed };
};

const person = (n: number): PrincipalId => PrincipalId.parse(`user:p${n}`);
const team = (n: number): GroupId => `group:team-${n}` as GroupId;

const roleOfTeam = (n: number, k: number): RoleName | undefined =>
  roleNames[sizes.departments + ((n * 7 + k * 41) % (sizes.roles - sizes.departments))];

/** Everything that a person's department and team may call. */
const reachOf = (n: number): Endpoint[] => {
  const held = [roleNames[n % sizes.departments], ...[0, 1, 2, 3].map((k) => roleOfTeam(n % sizes.teams, k))];
  const ids = held
    .flatMap((role) => (role && roles.get(role)?.allows) ?? [])
    .flatMap((each) => ('endpoint' in each ? [each.endpoint] : []));
  return [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
};
const byId = new Map(endpoints.map((each) => [each.id, each]));

export const hire = (folded: FoldedModel): void => {
  for (let n = 0; n < sizes.people; n++)
    folded.tell({ kind: 'join', principal: person(n), attributes: { department: `d${n % sizes.departments}` } });
  for (let n = 0; n < sizes.teams; n++) {
    const add = Array.from({ length: sizes.people / sizes.teams }, (_, at) => person(at * sizes.teams + n));
    folded.tell({ kind: 'change-group', group: team(n), add, remove: [] });
    for (const k of [0, 1, 2, 3]) {
      const role = roleOfTeam(n, k);
      if (role === undefined) continue;
      const subject = SubjectId.parse(`${team(n)}#member`);
      folded.tell({ kind: 'issue-grant', subject, role, reason: 'the team needs it' });
    }
  }
  exceptions(folded);
};

/** Every tenth person holds something of their own besides. */
const exceptions = (folded: FoldedModel): void => {
  for (let n = 0; n < sizes.people; n += 10) {
    const role = roleNames[sizes.departments + ((n * 13) % (sizes.roles - sizes.departments))];
    if (role === undefined) continue;
    folded.tell({ kind: 'issue-grant', subject: SubjectId.parse(person(n)), role, reason: 'an exception' });
  }
};

const filled = (template: string, n: number): string =>
  template.replaceAll(/\{[^}]*\+\}/g, `a${n % 97}/b/c`).replaceAll(/\{[^}]*\}/g, () => `x${n % 997}`);

/** Decisions over so many pairs of caller and endpoint: nine of ten of what people hold, a third by delegated tokens. */
export function* decisions(count: number, pairs: number): Generator<string> {
  const known = Array.from({ length: pairs }, (_, pair) => {
    const who = (pair * 17) % sizes.people;
    const reach = pair % 10 === 0 ? endpoints : reachOf(who);
    return { who: person(who), endpoint: reach[(pair * 31) % reach.length] };
  });
  for (let at = 0; at < count; at++) {
    const pair = at % pairs;
    const { who, endpoint } = known[pair] ?? {};
    if (who === undefined || endpoint === undefined) continue;
    yield JSON.stringify({
      id: `bench-${at}`,
      at: new Date(1_790_000_000_000 + at * 2_500).toISOString(),
      outcome: 'allow',
      principal: who,
      ...(pair % 3 === 0 && { scopes: pair % 2 === 0 ? ['read:org', 'repo'] : ['read:org'] }),
      service: 'github',
      endpoint: endpoint.id,
      method: endpoint.method,
      path: `/github${filled(endpoint.template, at)}`,
      ip: `192.0.2.${pair % 200}`,
      sequence: 4_000 + (at % 500),
      cached: true,
    });
  }
}
