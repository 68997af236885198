/** Which relations, routes and roles no assertion touches. */
import type { ModelPlaces } from '@postern/runtime';
import { gateTypes } from '@postern/schemas';
import { gateFile, type ZedSchema, zedLeaves } from '@postern/schemas/zed';
import type { Touched } from '../assertions/touched.ts';
import type { Model } from '../folded-model.ts';
import type { Finding } from '../report/finding.ts';

export type CoverageOf = {
  readonly touched: number;
  readonly total: number;
  /** Whole percent, rounded down; 100 where there is nothing to touch. */
  readonly percent: number;
  readonly untouched: readonly string[];
};
export type Coverage = {
  readonly roles: CoverageOf;
  readonly routes: CoverageOf;
  /** Of the engineers' own types: the gate's are Postern's to test. */
  readonly relations: CoverageOf;
  /** Of all three together. */
  readonly percent: number;
};

export const coverageOf = (
  model: Model,
  schema: ZedSchema,
  touched: Touched,
  placeOf: ModelPlaces['schema'],
): Coverage => {
  const resting = relationsBehind(schema, touched.permissions);
  // gate.zed brings an object type along as an example: it counts where somebody has written it down, or asks for it.
  const asked = new Set(
    model.services.flatMap(({ endpoints }) => endpoints.flatMap(({ objects = [] }) => objects.map(({ type }) => type))),
  );
  const relations = schema.definitions
    .filter(({ name, line }) => !gateTypes.has(name) && (asked.has(name) || placeOf(line).file !== gateFile))
    .flatMap((definition) => definition.relations.map(({ name }) => `${definition.name}#${name}`));
  const parts = {
    roles: part([...model.roles.keys()], (role) => touched.roles.has(role)),
    routes: part(
      model.services.flatMap(({ endpoints }) => endpoints.map(({ id }) => id)),
      (id) => touched.endpoints.has(id),
    ),
    // A relation is touched where something stands in it and a permission that rests on it is asserted.
    relations: part(relations, (relation) => touched.relations.has(relation) && resting.has(relation)),
  };
  const all = Object.values(parts);
  return {
    ...parts,
    percent: percentOf(
      all.reduce((sum, each) => sum + each.touched, 0),
      all.reduce((sum, each) => sum + each.total, 0),
    ),
  };
};

const part = (names: readonly string[], isTouched: (name: string) => boolean): CoverageOf => {
  const untouched = names.filter((name) => !isTouched(name));
  const touched = names.length - untouched.length;
  return { touched, total: names.length, percent: percentOf(touched, names.length), untouched };
};
const percentOf = (touched: number, total: number): number => (total === 0 ? 100 : Math.floor((100 * touched) / total));

/** `type#relation` of everything that the permissions (`type#permission`) rest on, over arrows too. */
export const relationsBehind = ({ definitions }: ZedSchema, permissions: Iterable<string>): Set<string> => {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (type: string, name: string): void => {
    const key = `${type}#${name}`;
    if (seen.has(key)) return;
    seen.add(key);
    const definition = definitions.find((each) => each.name === type);
    const relation = definition?.relations.find((each) => each.name === name);
    if (relation !== undefined) {
      found.add(key);
      for (const each of relation.allows) if (each.relation !== undefined) visit(each.type, each.relation);
    }
    const permission = definition?.permissions.find((each) => each.name === name);
    if (definition === undefined || permission === undefined) return;
    for (const leaf of zedLeaves(permission.expression)) {
      if (leaf.kind === 'name') visit(type, leaf.name);
      else {
        visit(type, leaf.relation);
        for (const { type: target } of definition.relations.find((each) => each.name === leaf.relation)?.allows ?? [])
          visit(target, leaf.permission);
      }
    }
  };
  for (const permission of permissions) {
    const [type = '', name = ''] = permission.split('#');
    visit(type, name);
  }
  return found;
};

/** Roles that nothing uses: no birthright gives them, nobody approves by them, and no assertion speaks of them. */
export const unusedRoles = ({ roles }: Model, coverage: Coverage, places: ModelPlaces): Finding[] =>
  [...roles].flatMap(([role, { birthright }]) => {
    const approves = [...roles.values()].some(({ approvers }) => approvers?.includes(`role:${role}`));
    if (birthright !== undefined || approves || !coverage.roles.untouched.includes(role)) return [];
    return [
      {
        rule: 'role/unused' as const,
        level: 'warning' as const,
        ...places.role(role),
        what: `nothing uses the role ${role}: it is no birthright, approves nothing, and no assertion speaks of it`,
        fix: 'assert what it may do, or remove it',
      },
    ];
  });
