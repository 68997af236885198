/**
 * AuthZEN's words as the engine's: its ids are free text and are encoded, its resource types `endpoint` and `route` are our
 * endpoints, every other type is one of the published schema. Properties and context become the context of caveats.
 */
import type { CheckContext, CheckItem } from '@postern/relationships';
import {
  type CredentialId,
  encodeId,
  type Match,
  type ObjectQuestion,
  type Organisation,
  objectsOf,
  readTarget,
  routeMatcher,
} from '@postern/schemas';
import { objectAlternatives } from '../pdp/demands.ts';
import type { Evaluation } from './entities.ts';

/** Makes `identity`, the type of the API gateways' scenario, what a token's subject is here. */
const subjectTypes: Readonly<Record<string, string>> = { identity: 'user' };
const typeName = /^[a-z][a-z0-9_]{1,62}[a-z0-9]$/;

/** `type:id` of the graph, or undefined where no such name can stand in it. */
export const objectName = (type: string, id: string): string | undefined => {
  if (!typeName.test(type)) return undefined;
  try {
    return `${type}:${encodeId(id)}`;
  } catch {
    return undefined;
  }
};

/** The subjects that must all hold the permission: a credential and its owner, or the subject alone. */
export const toSubjects = (
  organisation: Organisation,
  { type, id }: { readonly type: string; readonly id: string },
): readonly string[] => {
  const name = objectName(subjectTypes[type] ?? type, id);
  if (name === undefined) return [];
  if (type === 'group') return [`${name}#member`];
  if (type !== 'credential') return [name];
  const owner = organisation.credentials.get(name as CredentialId)?.owner;
  return owner === undefined ? [] : [name, owner];
};

/** What has to be held, all of it; each by any of its alternatives. */
export type Target =
  | { readonly kind: 'object'; readonly all: readonly (readonly ObjectQuestion[])[] }
  | { readonly kind: 'public' }
  | { readonly kind: 'unknown' };

const unknown: Target = { kind: 'unknown' };

export const toTarget = (
  organisation: Organisation,
  { type, id }: { readonly type: string; readonly id: string },
  action: string,
): Target => {
  if (type === 'route') return toRoute(findRoute(organisation, action, id));
  if (type === 'endpoint') {
    if (action !== 'call' || !/^[a-z][a-z0-9_-]+\/[A-Za-z0-9/_|+=-]{1,512}$/.test(id)) return unknown;
    const found = organisation.services.get(id.slice(0, id.indexOf('/')))?.endpoints.find((each) => each.id === id);
    return found?.public ? { kind: 'public' } : { kind: 'object', all: [[call(id)]] };
  }
  const resource = objectName(type, id);
  return resource === undefined || !typeName.test(action)
    ? unknown
    : { kind: 'object', all: [objectAlternatives({ resource, permission: action })] };
};

const call = (id: string): ObjectQuestion => ({ resource: `endpoint:${id}`, permission: 'call' });

/** A template names no object: where the endpoint asks for one, only a path can be judged. */
const toRoute = (found: MatchedPath | undefined): Target => {
  if (found === undefined) return unknown;
  if (found.endpoint.public) return { kind: 'public' };
  const named = objectsOf(found);
  if (named.outcome !== 'named') return unknown;
  return { kind: 'object', all: [[call(found.endpoint.id)], ...named.objects.map(objectAlternatives)] };
};

export type MatchedPath = Pick<Match, 'endpoint' | 'parameters' | 'operations'>;
export type MatchPath = (organisation: Organisation, method: string, path: string) => MatchedPath | undefined;

/** By mount and template, as the API gateways' scenario names a route; or by a path that the route takes. */
export const findRoute: MatchPath = (organisation, method, route) => {
  for (const { mount, endpoints } of organisation.services.values())
    for (const endpoint of endpoints)
      if (endpoint.method === method && `${mount}${endpoint.template}` === route) {
        const operations = endpoints.filter(
          (each) => each.operation !== undefined && each.method === method && each.template === endpoint.template,
        );
        return { endpoint, parameters: {}, ...(operations.length > 0 && { operations }) };
      }
  return matchPath(organisation, method, route);
};

/** The endpoint that a request for `path` would be judged by; undefined where none is, or where the path is ambiguous. */
export const matchPath: MatchPath = (organisation, method, path) => {
  const target = readTarget(path);
  if (target.outcome !== 'read') return undefined;
  return routeMatcher(organisation.services.values()).match(method, target);
};

type Asking = {
  readonly subject?: Pick<Evaluation['subject'], 'properties'>;
  readonly action?: Pick<Evaluation['action'], 'properties'>;
  readonly resource?: Pick<Evaluation['resource'], 'properties'>;
  readonly context?: Evaluation['context'];
};

/**
 * The context of caveats: `now`, `ip` and `country` for the gate's own, `subject_properties`, `action_properties` and
 * `resource_properties` (maps, empty where the request gives none) for those of a published schema. The properties of an entity
 * that is not named at all (the searched one) are left open.
 */
export const toCheckContext = ({ subject, action, resource, context = {} }: Asking, nowMs: number): CheckContext => {
  const { ip, country, acr, amr } = context;
  return {
    now: new Date(instantOf(context) ?? nowMs).toISOString(),
    ...(typeof ip === 'string' && { ip }),
    ...(typeof country === 'string' && { country }),
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && amr.every((each) => typeof each === 'string') && { amr }),
    ...(subject && { subject_properties: subject.properties ?? {} }),
    ...(action && { action_properties: action.properties ?? {} }),
    ...(resource && { resource_properties: resource.properties ?? {} }),
  };
};

/** `now` or `time`, as the request says; a text that is no instant (AuthZEN does not define one) is as good as none. */
const instantOf = ({ now, time }: Record<string, unknown>): number | undefined => {
  const text = now ?? time;
  const at = typeof text === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : at;
};

/** Checks in groups: of each group one has to hold. Undefined where the names cannot stand in the graph: nobody holds anything there. */
export const toItems = (
  organisation: Organisation,
  { subject, action, resource, context }: Evaluation,
  nowMs: number,
): readonly (readonly CheckItem[])[] | 'public' | undefined => {
  const target = toTarget(organisation, resource, action.name);
  if (target.kind === 'public') return 'public';
  const subjects = toSubjects(organisation, subject);
  if (target.kind === 'unknown' || subjects.length === 0) return undefined;
  const checked = toCheckContext({ subject, action, resource, context }, nowMs);
  return subjects.flatMap((each) =>
    target.all.map((alternatives) =>
      alternatives.map((alternative) => ({ ...alternative, subject: each, context: checked })),
    ),
  );
};
