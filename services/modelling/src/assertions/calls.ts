/** A call as an assertion names it: the endpoints it would be judged by, and the objects that have to be held with them. */
import {
  type Endpoint,
  type Match,
  type ObjectQuestion,
  type Operation,
  type Organisation,
  objectsOf,
  type RouteMatcher,
  readTarget,
  routeMatcher,
  type Service,
} from '@postern/schemas';
import { type NamedCall, operationText } from './named-call.ts';

export type Called =
  | { readonly endpoints: readonly [Endpoint, ...Endpoint[]]; readonly objects: readonly ObjectQuestion[] }
  | { readonly what: string; readonly fix: string };

export type Calls = (call: NamedCall) => Called;

export const callsOf = (organisation: Organisation): Calls => {
  const services = [...organisation.services.values()];
  const matcher = routeMatcher(services);
  return (call) => {
    switch (call.kind) {
      case 'path':
        return byPath(services, matcher, call);
      case 'operations':
        return byOperations(services, call);
      case 'grpc':
        return byRpc(services, call);
      case 'endpoint': {
        const endpoint = services.flatMap(({ endpoints }) => endpoints).find(({ id }) => id === call.endpoint);
        return endpoint === undefined
          ? { what: `there is no endpoint ${call.endpoint}`, fix: alike(call.endpoint, services) }
          : alone(endpoint);
      }
    }
  };
};

/** Named without a path it names no object. */
const alone = (endpoint: Endpoint): Called =>
  endpoint.objects === undefined
    ? { endpoints: [endpoint], objects: [] }
    : {
        what: `${endpoint.id} asks for an object, and no path says which`,
        fix: `write ${endpoint.method} and the path`,
      };

const byPath = (
  services: readonly Service[],
  matcher: RouteMatcher,
  { method, path }: Extract<NamedCall, { kind: 'path' }>,
): Called => {
  const target = readTarget(path);
  if (target.outcome !== 'read')
    return { what: `${path} is refused by the gate: ${target.why}`, fix: 'write the path as a caller would' };
  const match = matcher.match(method, target);
  if (match === undefined)
    return { what: `no endpoint takes ${method} ${path}`, fix: nearest(services, matcher, method, path) };
  const { operations = [] } = match;
  // What a stream of an MCP server is, its method alone says.
  const transport = operations.length === 1 && operations[0]?.operation?.kind === 'mcp-transport';
  if (operations.length > 0 && !transport) return saysTooLittle(match, `${method} ${path}`);
  const named = objectsOf(match);
  if (named.outcome !== 'named')
    return { what: `${path} is refused by the gate: ${named.why}`, fix: 'name the object as a caller would' };
  return { endpoints: [match.endpoint], objects: named.objects };
};

const saysTooLittle = ({ operations = [] }: Match, what: string): Called => ({
  what: `${what} takes many operations, and the body says which`,
  fix: `write ${namesOf(operations)
    .slice(0, 3)
    .map((each) => `"call ${each}"`)
    .join(', ')}`,
});
const namesOf = (endpoints: readonly Endpoint[]): string[] =>
  endpoints.flatMap(({ operation }) => (operation === undefined ? [] : [operationText(operation)]));

/** The gate looks for what a body names among the operations of one place, and so does this. */
const byOperations = (
  services: readonly Service[],
  { operations, at }: Extract<NamedCall, { kind: 'operations' }>,
): Called => {
  const places = new Map<string, Map<string, Endpoint>>();
  for (const { mount, endpoints } of services)
    for (const endpoint of endpoints) {
      if (endpoint.operation === undefined || endpoint.method !== 'POST') continue;
      const place = `${mount}${endpoint.template}`;
      const there = places.get(place) ?? new Map<string, Endpoint>();
      places.set(place, there.set(operationText(endpoint.operation), endpoint));
    }
  if (at !== undefined && !places.has(at))
    return {
      what: `no operations are called at ${at}`,
      fix: `they are at ${[...places.keys()].join(', ') || 'no path'}`,
    };
  const wanted = operations.map(operationText);
  const found = [...places].filter(
    ([place, there]) => (at === undefined || place === at) && wanted.every((each) => there.has(each)),
  );
  const [only, another] = found;
  if (only === undefined) {
    const candidates = [...places].flatMap(([place, there]) => (at === undefined || place === at ? [there] : []));
    return unknownOperation(operations, candidates, at);
  }
  if (another !== undefined)
    return {
      what: `"${wanted.join(', ')}" is at ${found.map(([place]) => place).join(' and at ')}`,
      fix: `write "call ${wanted.join(', ')} at ${only[0]}"`,
    };
  const [first, ...others] = wanted.flatMap((each) => only[1].get(each) ?? []);
  if (first === undefined) return unknownOperation(operations, [only[1]], at);
  // The gate has no path to take an object from there, and refuses; so nothing else may be expected.
  const asking = [first, ...others].find(({ objects }) => objects !== undefined);
  if (asking !== undefined)
    return {
      what: `${asking.id} asks for an object, which no operation names: the gate refuses it`,
      fix: 'remove its object rule',
    };
  return { endpoints: [first, ...others], objects: [] };
};

const unknownOperation = (
  operations: readonly Operation[],
  places: readonly ReadonlyMap<string, Endpoint>[],
  at: string | undefined,
): Called => {
  const wanted = operations.map(operationText);
  const missing = wanted.find((each) => !places.some((there) => there.has(each)));
  if (missing === undefined)
    return {
      what: `${wanted.join(', ')} are not called in one request: no place has them all`,
      fix: 'assert one after another',
    };
  const [kind = ''] = missing.split(' ');
  const known = places.flatMap((there) => [...there.keys()]).filter((each) => each.startsWith(`${kind} `));
  return {
    what: `${missing} is declared ${at === undefined ? 'nowhere' : `nowhere at ${at}`}`,
    fix: known.length > 0 ? `there is ${known.slice(0, 10).join(', ')}` : `no service declares a ${kind}`,
  };
};

const byRpc = (services: readonly Service[], { method, at }: Extract<NamedCall, { kind: 'grpc' }>): Called => {
  const found = services
    .filter(({ mount }) => at === undefined || mount === at)
    .flatMap(({ endpoints }) => endpoints)
    .filter((endpoint) => endpoint.method === 'POST' && endpoint.template === `/${method}`);
  const [endpoint, another] = found;
  if (endpoint === undefined)
    return {
      what: `no service declares the rpc ${method}${at === undefined ? '' : ` at ${at}`}`,
      fix: 'write PACKAGE.SERVICE/METHOD as its .proto file has it',
    };
  if (another !== undefined)
    return { what: `the rpc ${method} is declared by several services`, fix: 'say at which mount' };
  return alone(endpoint);
};

const alike = (id: string, services: readonly Service[]): string => {
  const [service = ''] = id.split('/', 1);
  const known = services.find(({ name }) => name === service)?.endpoints ?? [];
  return known.length > 0
    ? `${service} has ${known
        .slice(0, 5)
        .map((each) => each.id)
        .join(', ')}${known.length > 5 ? ', …' : ''}`
    : `services: ${services.map(({ name }) => name).join(', ')}`;
};

/** Other methods of the path, else the mounts there are. */
const nearest = (services: readonly Service[], matcher: RouteMatcher, method: string, path: string): string => {
  const target = readTarget(path);
  const others =
    target.outcome === 'read'
      ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'OPTIONS'].filter(
          (other) => other !== method && matcher.match(other, target) !== undefined,
        )
      : [];
  if (others.length > 0) return `the path takes ${others.join(', ')}`;
  const service = services.find(({ mount }) => path === mount || path.startsWith(`${mount}/`));
  if (service === undefined) return `services lie at ${services.map(({ mount }) => mount).join(', ')}`;
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
