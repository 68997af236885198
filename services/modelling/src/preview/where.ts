/** Where a recorded call goes under one set of routes, and what the gate would ask for there. */
import {
  type Endpoint,
  type EndpointId,
  type ObjectQuestion,
  type Organisation,
  objectsOf,
  type readTarget,
  routeMatcher,
} from '@postern/schemas';
import { recordedObjects } from './objects-recorded.ts';
import type { Use } from './use.ts';

export type Place = {
  readonly endpoint: EndpointId;
  /** Asked together with the endpoint. */
  readonly objects: readonly ObjectQuestion[];
  /** Scopes that the endpoint asks for and the token was not delegated: then it is refused, whatever its caller holds. */
  readonly lacks: readonly string[];
};
/** `unknown`: the record does not tell. */
export type Where =
  | { readonly at: Place }
  | { readonly at: undefined }
  | { readonly at: 'unknown'; readonly why: string };

export type ReadTarget = ReturnType<typeof readTarget>;

type Called = Pick<Use, 'method' | 'also' | 'objects' | 'scopes' | 'scopesBeyond'>;

const nowhere: Where = { at: undefined };

/**
 * Nowhere, too, if its path names no object in one way only: the gate refuses that. One of many operations behind a path was told
 * apart by the request's body, which is not recorded: it keeps its endpoint's name, and without one there is nothing to ask.
 * `live` are the operations of the routes that the calls were recorded under.
 */
export const whereOver = (
  { services }: Pick<Organisation, 'services'>,
  operations: ReadonlyMap<string, Endpoint> = operationsOf({ services }),
  isOperation: (id: string) => boolean = (id) => operations.has(id),
  live: ReadonlyMap<string, Endpoint> = operations,
) => {
  const matcher = routeMatcher(services.values());

  return (use: Called, target: ReadTarget, recorded?: string): Where => {
    if (target.outcome !== 'read') return nowhere;
    const match = matcher.match(use.method, target);
    if (match === undefined) return nowhere;
    if (match.operations === undefined) {
      const named = objectsOf(match);
      return named.outcome === 'named' ? placeAt(match.endpoint, named.objects, use) : nowhere;
    }
    const operation = recorded === undefined ? undefined : operations.get(recorded);
    if (operation !== undefined && match.operations.includes(operation)) {
      const named = recordedObjects(operation, live.get(operation.id)?.objects, use);
      return 'why' in named ? { at: 'unknown', why: named.why } : placeAt(operation, named.objects, use);
    }
    return recorded === undefined || !isOperation(recorded)
      ? { at: 'unknown', why: 'the record does not say which of the operations behind its path was called' }
      : nowhere;
  };
};

export const operationsOf = ({ services }: Pick<Organisation, 'services'>): Map<string, Endpoint> =>
  new Map(
    [...services.values()].flatMap(({ endpoints }) =>
      endpoints.flatMap((each) => (each.operation === undefined ? [] : [[each.id, each] as const])),
    ),
  );

const placeAt = (
  endpoint: Endpoint,
  objects: readonly ObjectQuestion[],
  { scopes, scopesBeyond = 0 }: Pick<Use, 'scopes' | 'scopesBeyond'>,
): Where => {
  const lacks = scopes === undefined ? [] : (endpoint.scopes ?? []).filter((each) => !scopes.includes(each));
  return lacks.length > 0 && scopesBeyond > 0
    ? { at: 'unknown', why: 'a token with more scopes than the record has room for' }
    : { at: { endpoint: endpoint.id, objects, lacks } };
};
