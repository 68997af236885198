/** A call as an assertion names it: the endpoint it would be judged by, and the questions that this means. */
import {
  type Endpoint,
  encodeId,
  type Organisation,
  type RouteMatcher,
  readTarget,
  routeMatcher,
} from '@postern/schemas';

export type Called =
  | {
      readonly endpoint: Endpoint;
      readonly objects: readonly { readonly resource: string; readonly permission: string }[];
    }
  | { readonly what: string; readonly fix: string };

export type Calls = (method: string, path: string) => Called;

export const callsOf = (organisation: Organisation): Calls => {
  const matcher: RouteMatcher = routeMatcher(organisation.services.values());
  return (method, path) => {
    const target = readTarget(path);
    if (target.outcome !== 'read')
      return { what: `${path} is refused by the gate: ${target.why}`, fix: 'write the path as a caller would' };
    const match = matcher.match(method, target);
    if (match === undefined)
      return { what: `no endpoint takes ${method} ${path}`, fix: nearest(organisation, method, path) };
    const { endpoint, parameters } = match;
    const objects = (endpoint.objects ?? []).flatMap((rule) => {
      const value = 'parameter' in rule ? parameters[rule.parameter] : undefined;
      return value === undefined ? [] : [{ resource: `${rule.type}:${encodeId(value)}`, permission: rule.permission }];
    });
    return { endpoint, objects };
  };
};

/** Other methods of the path, else the mounts there are. */
const nearest = (organisation: Organisation, method: string, path: string): string => {
  const matcher = routeMatcher(organisation.services.values());
  const target = readTarget(path);
  const others =
    target.outcome === 'read'
      ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'OPTIONS'].filter(
          (other) => other !== method && matcher.match(other, target) !== undefined,
        )
      : [];
  if (others.length > 0) return `the path takes ${others.join(', ')}`;
  const service = [...organisation.services.values()].find(
    ({ mount }) => path === mount || path.startsWith(`${mount}/`),
  );
  if (service === undefined)
    return `services lie at ${[...organisation.services.values()].map(({ mount }) => mount).join(', ')}`;
  const close = service.endpoints
    .filter((endpoint) => endpoint.method === method)
    .map(({ template }) => `${service.mount}${template}`)
    .sort((a, b) => distance(a, path) - distance(b, path));
  return `${method} is taken at ${close.slice(0, 3).join(', ') || 'no path'}`;
};

/** How many segments two paths do not have in common from their beginning. */
const distance = (a: string, b: string): number => {
  const [left, right] = [a.split('/'), b.split('/')];
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  return Math.max(left.length, right.length) - same;
};
