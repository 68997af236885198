/**
 * OpenAPI 3 in, endpoints out: each operation becomes one endpoint, `service/operationId`, of class read (GET, HEAD, QUERY, OPTIONS)
 * or write; `x-postern` on a path item or an operation says otherwise (access, public, websocket, object, scopes, opaque). Path items, operations and
 * parameters may be references, into other files too. `servers` puts its path before the templates, unless it is to be ignored.
 * The documents come parsed; they are outside texts, so nothing about them is taken for granted.
 */
import { encodeId } from '../ids.ts';
import { Endpoint } from './endpoint.ts';
import { isObject, type Json, pointerTo } from './json-pointer.ts';
import { unaskable } from './object-rules.ts';
import { type Found, follow, nowhere, type OpenDocument, type Place } from './openapi-references.ts';
import { serverPrefix } from './openapi-servers.ts';
import { parseTemplate } from './template.ts';

export type OpenApiProblem = {
  /** The `file:` URL of the document at fault. */
  readonly file: string;
  /** Where in it: a JSON pointer (RFC 6901). */
  readonly pointer: string;
  /** `error`: the operation yields no endpoint, so calls of it are refused. `note`: it does, more narrowly than the document reads. */
  readonly level: 'error' | 'note';
  readonly what: string;
};
export type FromOpenApi = { readonly endpoints: readonly Endpoint[]; readonly problems: readonly OpenApiProblem[] };

export type OpenApiOptions = {
  /** The document's own `file:` URL, where its references begin. */
  readonly file?: string;
  /** Opens the other files. */
  readonly open?: OpenDocument;
  /** `ignore`: the templates stand as the paths do. */
  readonly servers?: 'prefix' | 'ignore';
};

const methods = ['get', 'query', 'options', 'post', 'put', 'patch', 'delete'] as const;
const ourMembers: ReadonlySet<string> = new Set(['access', 'public', 'websocket', 'object', 'scopes', 'opaque']);
const reading: ReadonlySet<string> = new Set(['get', 'query', 'options']);

export const endpointsFromOpenApi = (service: string, document: unknown, options: OpenApiOptions = {}): FromOpenApi => {
  const {
    file = nowhere,
    open: openOther = () => ({ why: 'no other file is read here' }),
    servers = 'prefix',
  } = options;
  const open: OpenDocument = (wanted) => (wanted === file ? { value: document } : openOther(wanted));
  const endpoints: Endpoint[] = [];
  const problems: OpenApiProblem[] = [];
  const report = (place: Place, what: string, level: 'error' | 'note' = 'error'): void => {
    problems.push({ ...place, level, what });
  };
  const root = (pointer: string): Place => ({ file, pointer });
  if (!isObject(document) || !/^3\.\d+/.test(String(document['openapi']))) {
    report(root(''), 'not an OpenAPI 3 document: its "openapi" member has to begin with "3."');
    return { endpoints, problems };
  }
  const paths = document['paths'] ?? {};
  if (!isObject(paths)) {
    report(root('/paths'), 'has to be an object of path items');
    return { endpoints, problems };
  }
  if ('$self' in document) report(root('/$self'), 'is not read: references begin where the file lies', 'note');
  const ids = new Map<string, string>();
  const shapes = new Map<string, string>();
  /** Each difference between servers is told once. */
  const told = new Set<string>();
  for (const [path, value] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue;
    const item = follow(open, value, root(pointerTo('paths', path)));
    if ('why' in item) {
      report(item.place, item.why);
      continue;
    }
    const inItem = (name: string): Place => ({ ...item.place, pointer: `${item.place.pointer}/${name}` });
    for (const method of ['trace', 'connect'])
      if (method in item.value) report(inItem(method), `the gate passes no ${method.toUpperCase()}`);
    if ('head' in item.value && !('get' in item.value))
      report(inItem('head'), 'HEAD is judged as GET, and this path declares no GET');
    if (isObject(item.value['additionalOperations']))
      for (const method of Object.keys(item.value['additionalOperations']))
        report(
          inItem(`additionalOperations${pointerTo(method)}`),
          `the gate passes no ${method}, so calls of it are refused`,
          'note',
        );
    for (const method of methods) {
      if (item.value[method] === undefined) continue;
      const operation = follow(open, item.value[method], inItem(method));
      if ('why' in operation) {
        report(operation.place, operation.why);
        continue;
      }
      const prefix =
        servers === 'ignore'
          ? ({ outcome: 'read', prefix: '' } as const)
          : serverPrefix([operation.value, item.value, document]);
      if (prefix.outcome === 'refused') {
        report(operation.place, prefix.why);
        continue;
      }
      if ('note' in prefix && prefix.note !== undefined && !told.has(prefix.note)) {
        told.add(prefix.note);
        report(operation.place, prefix.note, 'note');
      }
      const parameters = [...parametersOf(open, item, report), ...parametersOf(open, operation, report)];
      const read = readOperation({
        service,
        path,
        prefix: prefix.prefix,
        method,
        item: item.value,
        operation: operation.value,
        rests: parameters,
      });
      if (read.note !== undefined) report(operation.place, read.note, 'note');
      if ('why' in read) {
        report(operation.place, read.why);
        continue;
      }
      const { endpoint, shape } = read;
      const route = `${endpoint.method} ${shape}`;
      const sameId = ids.get(endpoint.id);
      const sameRoute = shapes.get(route);
      if (sameId !== undefined) report(operation.place, `has the id ${endpoint.id}, as ${sameId} has`);
      else if (sameRoute !== undefined) report(operation.place, `matches the same requests as ${sameRoute}`);
      else {
        ids.set(endpoint.id, operation.place.pointer);
        shapes.set(route, operation.place.pointer);
        endpoints.push(endpoint);
      }
    }
  }
  return { endpoints, problems };
};

type Operation = {
  readonly service: string;
  readonly path: string;
  /** What `servers` puts before the path. */
  readonly prefix: string;
  readonly item: Json;
  readonly method: string;
  readonly operation: Json;
  /** Names of the path parameters that take several segments. */
  readonly rests: readonly string[];
};
type Read = ({ readonly endpoint: Endpoint; readonly shape: string } | { readonly why: string }) & {
  readonly note?: string;
};

const readOperation = ({ service, path, prefix, item, method, operation, rests }: Operation): Read => {
  const { template: below, note } = withRests(path, rests);
  const template = `${prefix}${below}`;
  const noted = note === undefined ? {} : { note };
  const parsed = parseTemplate(path.startsWith('/') ? template : path);
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
    const wrong = unaskable(endpoint.data);
    if (wrong !== undefined) return { why: `x-postern.object: ${wrong}`, ...noted };
  }
  if (endpoint.success) return { endpoint: endpoint.data, shape: parsed.shape, ...noted };
  const [issue] = endpoint.error.issues;
  return { why: `${issue?.path.join('.')}: ${issue?.message}`, ...noted };
};

/** Names of the path parameters that take several segments (`x-multi-segment: true`). */
const parametersOf = (
  open: OpenDocument,
  holder: Found,
  report: (place: Place, what: string, level: 'error' | 'note') => void,
): string[] => {
  const parameters = holder.value['parameters'];
  if (!Array.isArray(parameters)) return [];
  return parameters.flatMap((each, index) => {
    const parameter = follow(open, each, {
      ...holder.place,
      pointer: `${holder.place.pointer}/parameters/${index}`,
    });
    if ('why' in parameter) {
      report(parameter.place, parameter.why, 'note');
      return [];
    }
    const isRest = parameter.value['in'] === 'path' && parameter.value['x-multi-segment'] === true;
    return isRest ? [String(parameter.value['name'])] : [];
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
