/**
 * AuthZEN searches: the engine's look-up names the candidates, a check with the request's context keeps those that hold. Properties
 * of the searched entity are not known: what hangs on them alone is kept.
 */
import { createHash } from 'node:crypto';
import type { CheckContext, CheckItem, Found, Reached, Verdict } from '@postern/relationships';
import {
  canonicalJson,
  decodeId,
  isProblem,
  type ObjectQuestion,
  type Organisation,
  objectPermission,
  Problem,
} from '@postern/schemas';
import { objectAlternatives } from '../pdp/demands.ts';
import { reachedOrRefuse } from '../search.ts';
import type { ActionSearch, ResourceSearch, SubjectSearch } from './entities.ts';
import type { EvaluateDeps } from './evaluate.ts';
import { objectName, type Target, toCheckContext, toSubjects, toTarget } from './to-check.ts';

export type Page = { readonly next_token: string; readonly count: number; readonly total: number };
export type Results<Result> = { readonly results: readonly Result[]; readonly page?: Page };

type Searched = 'subject_properties' | 'action_properties' | 'resource_properties';

export const searchSubjects = async (deps: EvaluateDeps, search: SubjectSearch) => {
  const { reached, organisation } = at(deps);
  const { subject, action, resource, context } = search;
  const target = toTarget(organisation, resource, action.name);
  const type = subject.type === 'identity' ? 'user' : subject.type;
  if (target.kind !== 'object' || objectName(type, 'any') === undefined) return paged(search, []);
  // Whoever holds all of it holds the first of it, in one of the ways.
  const lookups = (target.all[0] ?? []).map((query) =>
    known(() => Array.fromAsync(deps.engine.subjects({ ...query, subjectType: type }, reached.zookie))),
  );
  const candidates = [...new Map((await Promise.all(lookups)).flat().map((each) => [each.id, each])).values()];
  const checked = toCheckContext({ action, resource, ...(context && { context }) }, deps.now());
  const kept = await holding(deps, reached, candidates, 'subject_properties', ({ id }) =>
    (type === 'credential' ? toSubjects(organisation, { type, id: decodeId(id) }) : [`${type}:${id}`]).flatMap((name) =>
      groupsOf(target, name, checked),
    ),
  );
  return paged(
    search,
    kept.map(({ id }) => ({ type: subject.type, id: decodeId(id) })),
  );
};

export const searchResources = async (deps: EvaluateDeps, search: ResourceSearch) => {
  const { reached, organisation } = at(deps);
  const { subject, action, resource, context } = search;
  const ours = resource.type === 'endpoint' || resource.type === 'route';
  const [type, permission] = ours ? ['endpoint', 'call'] : [resource.type, action.name];
  const subjects = toSubjects(organisation, subject);
  const [first] = subjects;
  if (
    first === undefined ||
    objectName(type, 'any') === undefined ||
    (resource.type === 'endpoint' && action.name !== 'call')
  )
    return paged(search, []);
  const query = { subject: first, permission, resourceType: type };
  const candidates = [
    ...new Map(
      [
        ...(await known(() => Array.fromAsync(deps.engine.resources(query, reached.zookie)))),
        ...(ours ? [] : await openedByRoles(deps, reached, organisation, query)),
      ].map((each) => [each.id, each]),
    ).values(),
  ];
  const checked = toCheckContext({ subject, action, ...(context && { context }) }, deps.now());
  const kept = await holding(deps, reached, candidates, 'resource_properties', ({ id }) =>
    subjects.map((name) =>
      (ours ? plain : objectAlternatives)({ resource: `${type}:${id}`, permission }).map((each) => ({
        ...each,
        subject: name,
        context: checked,
      })),
    ),
  );
  const named = ({ id }: Found) =>
    resource.type === 'endpoint'
      ? [id]
      : resource.type === 'route'
        ? routeOf(organisation, id, action.name)
        : [decodeId(id)];
  return paged(
    search,
    kept.flatMap((each) => named(each).map((id) => ({ type: resource.type, id }))),
  );
};

/**
 * Objects that a role opens to the subject: by name, or as one of a type, of which those are candidates that stand in a relation or
 * in another role. (Of an object that no fact names nobody knows that it is there.)
 */
const openedByRoles = async (
  { engine }: EvaluateDeps,
  { zookie }: Reached,
  organisation: Organisation,
  { subject, permission, resourceType }: { subject: string; permission: string; resourceType: string },
): Promise<Found[]> => {
  const query = { subject, permission: 'hold', resourceType: 'object_permission' };
  const held = await known(() => Array.fromAsync(engine.resources(query, zookie)));
  const everyOf = objectPermission(`${resourceType}:*`, permission).slice('object_permission:'.length);
  const named = held.flatMap(({ id }) => (id.startsWith(`${everyOf}/`) ? [id.slice(everyOf.length + 1)] : []));
  const all = held.some(({ id }) => id === everyOf) ? knownObjects(organisation, resourceType) : [];
  return [...new Set([...named, ...all])].map((id) => ({ id, conditional: true }));
};

const knownObjects = (organisation: Organisation, type: string): string[] => {
  const inRelations = [...organisation.objects.all()].map(({ resource }) => resource);
  const inRoles = [...organisation.roles.values()].flatMap(({ allows }) =>
    allows.flatMap((allowance) => ('object' in allowance ? [allowance.object] : [])),
  );
  return [...inRelations, ...inRoles]
    .filter((name) => name.startsWith(`${type}:`) && !name.endsWith(':*'))
    .map((name) => name.slice(type.length + 1));
};

export const searchActions = async (deps: EvaluateDeps, search: ActionSearch) => {
  const { reached, organisation } = at(deps);
  const { subject, resource, context } = search;
  const subjects = toSubjects(organisation, subject);
  const checked = toCheckContext({ subject, resource, ...(context && { context }) }, deps.now());
  const names = actionsOn(organisation, resource.type);
  const always = names.filter((name) => toTarget(organisation, resource, name).kind === 'public');
  const candidates = subjects.length === 0 ? [] : names.filter((name) => !always.includes(name));
  const kept = await holding(
    deps,
    reached,
    candidates.map((id) => ({ id, conditional: true })),
    'action_properties',
    ({ id }) => {
      const target = toTarget(organisation, resource, id);
      if (target.kind !== 'object') return [];
      return subjects.flatMap((name) => groupsOf(target, name, checked));
    },
  );
  return paged(
    search,
    [...always, ...kept.map(({ id }) => id)].map((name) => ({ name })),
  );
};

const at = ({ projection }: EvaluateDeps): { reached: Reached; organisation: Organisation } => ({
  reached: reachedOrRefuse(projection),
  organisation: projection.organisation(),
});

/** A type or a permission that the schema does not know: nobody holds it. */
const known = async (search: () => Promise<Found[]>): Promise<Found[]> => {
  try {
    return await search();
  } catch (error) {
    if (isProblem(error, 'authorizer/bad-question')) return [];
    throw error;
  }
};

const holding = async (
  { engine }: EvaluateDeps,
  { zookie }: Reached,
  candidates: readonly Found[],
  searched: Searched,
  toGroups: (candidate: Found) => readonly (readonly CheckItem[])[],
): Promise<Found[]> => {
  const each = candidates.map(toGroups);
  const verdicts = await engine.check(each.flat(2), zookie);
  let from = 0;
  const next = (group: readonly CheckItem[]): boolean => {
    const own = verdicts.slice(from, from + group.length);
    from += own.length;
    return own.some((verdict) => holds(verdict, searched));
  };
  return candidates.filter((_, index) => {
    const groups = (each[index] ?? []).map(next);
    return groups.length > 0 && groups.every((held) => held);
  });
};

/** Groups of checks, of each of which one has to hold. */
const groupsOf = (
  target: Extract<Target, { kind: 'object' }>,
  subject: string,
  context: CheckContext,
): readonly (readonly CheckItem[])[] =>
  target.all.map((alternatives) => alternatives.map((each) => ({ ...each, subject, context })));
const plain = (object: ObjectQuestion): readonly ObjectQuestion[] => [object];

const holds = (verdict: Verdict, searched: Searched): boolean =>
  verdict.verdict === 'has' ||
  (verdict.verdict === 'depends' &&
    verdict.on.length === 0 &&
    verdict.parameters?.length === 1 &&
    verdict.parameters[0] === searched);

/** Permissions come out of the schema's text: its reflection is not served by the embedded engine. */
const actionsOn = (organisation: Organisation, type: string): readonly string[] => {
  if (type === 'endpoint') return ['call'];
  if (type === 'route') return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];
  const text = (organisation.schema ?? '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const body =
    new RegExp(`\\bdefinition\\s+${type.replaceAll(/[^a-z0-9_]/g, '')}\\s*\\{([^}]*)\\}`).exec(text)?.[1] ?? '';
  return [...body.matchAll(/\bpermission\s+([a-z][a-z0-9_]*)/g)].flatMap(([, name]) => name ?? []).sort();
};

const routeOf = (organisation: Organisation, id: string, method: string): string[] =>
  [...organisation.services.values()].flatMap(({ mount, endpoints }) =>
    // A template names no object, so it cannot stand for an endpoint that asks for one.
    endpoints
      .filter((each) => each.id === id && each.method === method && each.objects === undefined)
      .map(({ template }) => `${mount}${template}`),
  );

const pageMax = 1_000;

type Paged = {
  readonly page?: { readonly token?: string | undefined; readonly limit?: number | undefined } | undefined;
};

/** The place in the sorted results stands in the token, bound to everything else of the request. */
const paged = <Result>({ page, ...request }: Paged, found: readonly Result[]): Results<Result> => {
  const sorted = [...new Map(found.map((each) => [canonicalJson(each), each]))].sort(([a], [b]) => (a < b ? -1 : 1));
  const bound = createHash('sha256').update(canonicalJson(request)).digest('base64url').slice(0, 22);
  const after = page?.token ? readToken(page.token, bound) : '';
  const rest = sorted.filter(([key]) => key > after);
  const shown = rest.slice(0, page?.limit ?? pageMax);
  const last = shown.at(-1)?.[0];
  const more = rest.length > shown.length && last !== undefined;
  const results = shown.map(([, each]) => each);
  if (page === undefined && !more) return { results };
  const token = more ? Buffer.from(JSON.stringify([bound, last])).toString('base64url') : '';
  return { results, page: { next_token: token, count: results.length, total: sorted.length } };
};

const readToken = (token: string, bound: string): string => {
  try {
    const [of, after]: unknown[] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (of === bound && typeof after === 'string') return after;
  } catch {
    // not a token of ours
  }
  throw new Problem('authorizer/bad-question', {
    detail: 'the page token belongs to another search',
    fix: 'Repeat the search that it came from, with nothing else changed.',
  });
};
