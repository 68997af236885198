/** A hand-written route file over what the other descriptions of a service say: it adds endpoints, and overrides what is said of the same. */
import type { RouteOptions, RoutesYaml } from '../config/routes-yaml.ts';
import { encodeId } from '../ids.ts';
import { Endpoint, Method } from './endpoint.ts';
import { unaskable } from './object-rules.ts';
import { parseTemplate } from './template.ts';

export type RouteFileProblem = { readonly path: readonly PropertyKey[]; readonly what: string; readonly fix?: string };
export type WithRouteFile = {
  readonly endpoints: readonly Endpoint[];
  readonly problems: readonly RouteFileProblem[];
};

const reading: ReadonlySet<string> = new Set(['GET', 'QUERY', 'OPTIONS']);
const form = 'write METHOD /path, or the name of a declared operation';

export const withRouteFile = (service: string, described: readonly Endpoint[], routes: RoutesYaml): WithRouteFile => {
  const endpoints = [...described];
  const problems: RouteFileProblem[] = [];
  const seen = new Map<string, string>();
  for (const [index, entry] of routes.entries()) {
    const [[key, options] = ['', null]] = Object.entries(entry);
    const path = [index, key];
    const read = key.includes(' ') ? readRoute(key, endpoints) : readOperation(service, key, endpoints);
    if ('what' in read) {
      problems.push({ path, what: read.what, ...(read.fix !== undefined && { fix: read.fix }) });
      continue;
    }
    const before = seen.get(read.route);
    if (before !== undefined) {
      problems.push({ path, what: `"${key}" matches the same requests as "${before}"`, fix: 'keep one of them' });
      continue;
    }
    seen.set(read.route, key);
    const made = merge(service, read.endpoint, options ?? {});
    if ('what' in made) {
      problems.push({ path: made.member === undefined ? path : [...path, made.member], what: made.what });
      continue;
    }
    const twin = endpoints.find((each, at) => each.id === made.endpoint.id && at !== read.at);
    if (twin !== undefined)
      problems.push({
        path,
        what: `has the id ${twin.id}, as ${twin.method} ${twin.template} has`,
        fix: 'give it an id of its own',
      });
    else if (read.at === undefined) endpoints.push(made.endpoint);
    else endpoints[read.at] = made.endpoint;
  }
  return { endpoints, problems };
};

type Read =
  | { readonly endpoint: Endpoint | Omit<Endpoint, 'id'>; readonly at: number | undefined; readonly route: string }
  | { readonly what: string; readonly fix?: string };

const readRoute = (key: string, endpoints: readonly Endpoint[]): Read => {
  const [, written = '', template = ''] = /^(\S+) +(\S+)$/.exec(key) ?? [];
  const method = Method.safeParse(written);
  if (!method.success)
    return { what: `"${key}" begins with no method that the gate passes`, fix: `one of ${Method.options.join(', ')}` };
  const parsed = parseTemplate(template);
  if (parsed.outcome === 'refused') return { what: `"${key}": ${parsed.why}`, fix: form };
  const route = `${method.data} ${parsed.shape}`;
  const at = endpoints.findIndex((each) => each.operation === undefined && routeOf(each) === route);
  const known = endpoints[at];
  const operations = endpoints.find((each) => each.operation !== undefined && routeOf(each) === route);
  if (operations !== undefined)
    return { what: `"${key}" is the place of operations such as ${operations.id}`, fix: 'name the operation instead' };
  return known === undefined
    ? {
        endpoint: { method: method.data, template, access: reading.has(method.data) ? 'read' : 'write' },
        at: undefined,
        route,
      }
    : { endpoint: { ...known, template }, at, route };
};

/** By its name, without the service's: `query.salary`, `tool.search`, `rpc.resources/read`. */
const readOperation = (service: string, key: string, endpoints: readonly Endpoint[]): Read => {
  const at = endpoints.findIndex(({ id, operation }) => operation !== undefined && id === named(service, key).id);
  const endpoint = endpoints[at];
  if (endpoint === undefined) return { what: `"${key}" names no operation that is declared here`, fix: form };
  return { endpoint, at, route: endpoint.id };
};

export const routeOf = ({ method, template }: Pick<Endpoint, 'method' | 'template'>): string | undefined => {
  const parsed = parseTemplate(template);
  return parsed.outcome === 'parsed' ? `${method} ${parsed.shape}` : undefined;
};

const merge = (
  service: string,
  base: Endpoint | Omit<Endpoint, 'id'>,
  { id, ...options }: RouteOptions,
): { readonly endpoint: Endpoint } | { readonly what: string; readonly member?: PropertyKey } => {
  const own =
    id !== undefined
      ? named(service, id)
      : 'id' in base
        ? { id: base.id }
        : named(service, `${base.method}-${base.template}`);
  if (own.id === undefined) return { what: `cannot be named: ${own.why}`, ...(id !== undefined && { member: 'id' }) };
  const parsed = Endpoint.safeParse({ ...base, ...options, id: own.id });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      what: `${issue?.path.join('.')}: ${issue?.message}`,
      ...(issue?.path[0] !== undefined && { member: issue.path[0] }),
    };
  }
  const what = unaskable(parsed.data);
  return what === undefined ? { endpoint: parsed.data } : { what, member: 'objects' };
};

const named = (service: string, name: string): { readonly id?: string; readonly why?: string } => {
  try {
    return { id: `${service}/${encodeId(name)}` };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
};
