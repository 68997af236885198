/** The routes of all services as the log publishes them, compiled when they are first needed after a change. */
import {
  type EndpointId,
  type Match,
  type Organisation,
  type RouteMatcher,
  readTarget,
  routeMatcher,
} from '@postern/schemas';

export type Routes = {
  readonly match: RouteMatcher['match'];
  /** Changes with every publication: what was matched before has to be matched again. */
  readonly version: () => number;
  readonly changed: () => void;
  /** Does a path that went to this endpoint still go there? Then how. */
  readonly rematch: (method: string, path: string, endpoint: string) => Match | undefined;
};

export const routesOf = (organisation: Pick<Organisation, 'services'>): Routes => {
  let compiled: RouteMatcher | undefined;
  let version = 0;
  const match: RouteMatcher['match'] = (method, target) => {
    compiled ??= routeMatcher(organisation.services.values());
    return compiled.match(method, target);
  };
  return {
    match,
    version: () => version,
    changed: () => {
      compiled = undefined;
      version++;
    },
    rematch: (method, path, endpoint) => {
      const target = readTarget(path);
      const found = target.outcome === 'read' ? match(method, target) : undefined;
      if (found === undefined) return undefined;
      const same = [found.endpoint, ...(found.operations ?? [])].find(({ id }) => id === (endpoint as EndpointId));
      return same && { ...found, endpoint: same };
    },
  };
};
