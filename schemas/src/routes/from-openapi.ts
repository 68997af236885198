/**
 * OpenAPI 3 in, endpoints out: each operation becomes one endpoint, `service/operationId`, of class read (GET, HEAD, QUERY, OPTIONS)
 * or write; `x-postern: { access, public, websocket, object, scopes, opaque }` on a path item or an operation says otherwise. The document comes parsed;
 * it is an outside text, so nothing about it is taken for granted. `servers` is not read: the mount says where the API lies.
 */
import { encodeId } from '../ids.ts';
import { Endpoint } from './endpoint.ts';
import { unnamedParameter } from './object-rules.ts';
import { parseTemplate } from './template.ts';

export type OpenApiProblem = {
  /** Where in the document: a JSON pointer (RFC 6901). */
  readonly pointer: string;
  /** `error`: the operation yields no endpoint, so calls of it are refused. `note`: it does, more narrowly than the document reads. */
  readonly level: 'error' | 'note';
  readonly what: string;
};
export type FromOpenApi = { readonly endpoints: readonly Endpoint[]; readonly problems: readonly OpenApiProblem[] };

type Json = { readonly [name: string]: unknown };
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const pointerTo = (...names: string[]): string =>
  names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const methods = ['get', 'query', 'options', 'post', 'put', 'patch', 'delete'] as const;
const ourMembers: ReadonlySet<string> = new Set(['access', 'public', 'websocket', 'object', 'scopes', 'opaque']);
const reading: ReadonlySet<string> = new Set(['get', 'query', 'options']);

export const endpointsFromOpenApi = (service: string, document: unknown): FromOpenApi => {
  const endpoints: Endpoint[] = [];
  const problems: OpenApiProblem[] = [];
  const report = (pointer: string, what: string, level: 'error' | 'note' = 'error'): void => {
    problems.push({ pointer, level, what });
  };
  if (!isObject(document) || !/^3\.\d+/.test(String(document['openapi']))) {
    report('', 'not an OpenAPI 3 document: its "openapi" member has to begin with "3."');
    return { endpoints, problems };
  }
  const paths = document['paths'] ?? {};
  if (!isObject(paths)) {
    report('/paths', 'has to be an object of path items');
    return { endpoints, problems };
  }
  const ids = new Map<string, string>();
  const shapes = new Map<string, string>();
  for (const [path, value] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue;
    const here = pointerTo('paths', path);
    const item = resolve(document, value);
    if (item === undefined) {
      report(here, 'is no path item, or its $ref leads nowhere in this document');
      continue;
    }
    for (const method of ['trace', 'connect'])
      if (method in item) report(`${here}/${method}`, `the gate passes no ${method.toUpperCase()}`);
    if ('head' in item && !('get' in item))
      report(`${here}/head`, 'HEAD is judged as GET, and this path declares no GET');
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined) continue;
      const pointer = `${here}/${method}`;
      if (!isObject(operation)) {
        report(pointer, 'is no operation');
        continue;
      }
      const read = readOperation({ document, service, path, item, method, operation });
      if (read.note !== undefined) report(pointer, read.note, 'note');
      if ('why' in read) {
        report(pointer, read.why);
        continue;
      }
      const { endpoint, shape } = read;
      const route = `${endpoint.method} ${shape}`;
      const sameId = ids.get(endpoint.id);
      const sameRoute = shapes.get(route);
      if (sameId !== undefined) report(pointer, `has the id ${endpoint.id}, as ${sameId} has`);
      else if (sameRoute !== undefined) report(pointer, `matches the same requests as ${sameRoute}`);
      else {
        ids.set(endpoint.id, pointer);
        shapes.set(route, pointer);
        endpoints.push(endpoint);
      }
    }
  }
  return { endpoints, problems };
};

type Operation = {
  readonly document: Json;
  readonly service: string;
  readonly path: string;
  readonly item: Json;
  readonly method: string;
  readonly operation: Json;
};
type Read = ({ readonly endpoint: Endpoint; readonly shape: string } | { readonly why: string }) & {
  readonly note?: string;
};

const readOperation = ({ document, service, path, item, method, operation }: Operation): Read => {
  const { template, note } = withRests(path, [...parametersOf(document, item), ...parametersOf(document, operation)]);
  const noted = note === undefined ? {} : { note };
  const parsed = parseTemplate(template);
  if (parsed.outcome === 'refused') return { why: parsed.why, ...noted };
  const upper = method.toUpperCase();
  const named = operation['operationId'];
  let id: string;
  try {
    id = `${service}/${encodeId(typeof named === 'string' && named !== '' ? named : `${upper}-${path}`)}`;
  } catch (error) {
    return { why: `cannot be named: ${error instanceof Error ? error.message : error}`, ...noted };
  }
  const ours = {
    ...(isObject(item['x-postern']) && item['x-postern']),
    ...(isObject(operation['x-postern']) && operation['x-postern']),
  };
  const unknown = Object.keys(ours).find((name) => !ourMembers.has(name));
  if (unknown !== undefined)
    return { why: `x-postern knows ${[...ourMembers].join(', ')}, not "${unknown}"`, ...noted };
  const { object, ...members } = ours as Json;
  const endpoint = Endpoint.safeParse({
    id,
    method: upper,
    template,
    access: reading.has(method) ? 'read' : 'write',
    ...(object !== undefined && { objects: Array.isArray(object) ? object : [object] }),
    ...members,
  });
  if (endpoint.success) {
    if (endpoint.data.public && endpoint.data.objects)
      return { why: 'x-postern says that it is public and asks for an object: nobody would be asked about', ...noted };
    const unnamed = unnamedParameter(endpoint.data);
    if (unnamed !== undefined)
      return { why: `x-postern.object names the parameter ${unnamed}, which the path does not have`, ...noted };
  }
  if (endpoint.success) return { endpoint: endpoint.data, shape: parsed.shape, ...noted };
  const [issue] = endpoint.error.issues;
  return { why: `${issue?.path.join('.')}: ${issue?.message}`, ...noted };
};

/** Names of the path parameters that take several segments (`x-multi-segment: true`). */
const parametersOf = (document: Json, holder: Json): string[] => {
  const parameters = holder['parameters'];
  if (!Array.isArray(parameters)) return [];
  return parameters.flatMap((each) => {
    const parameter = resolve(document, each);
    const isRest = parameter?.['in'] === 'path' && parameter['x-multi-segment'] === true;
    return isRest ? [String(parameter['name'])] : [];
  });
};

/** A parameter of several segments becomes `{name+}` at the end of a path; elsewhere it keeps to one segment, and that is noted. */
const withRests = (path: string, rests: readonly string[]): { template: string; note?: string } => {
  const last = rests.find((name) => path.endsWith(`/{${name}}`));
  const middle = rests.filter((name) => name !== last && path.includes(`{${name}}`));
  return {
    template: last === undefined ? path : `${path.slice(0, -1)}+}`,
    ...(middle.length > 0 && {
      note: `{${middle.join('}, {')}} stands before other segments, so it takes one segment only`,
    }),
  };
};

/** Follows `$ref`s inside the document; what stands beside a path item's $ref is kept (OpenAPI 3.0 leaves it open). */
const resolve = (document: Json, value: unknown, depth = 0): Json | undefined => {
  if (!isObject(value)) return undefined;
  const ref = value['$ref'];
  if (ref === undefined) return value;
  if (typeof ref !== 'string' || !ref.startsWith('#/') || depth > 20) return undefined;
  let at: unknown = document;
  for (const part of ref.slice(2).split('/')) {
    if (!isObject(at)) return undefined;
    const name = decoded(part);
    at = name === undefined || !Object.hasOwn(at, name) ? undefined : at[name];
  }
  const target = resolve(document, at, depth + 1);
  return target && { ...target, ...value, $ref: undefined };
};

const decoded = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
};
