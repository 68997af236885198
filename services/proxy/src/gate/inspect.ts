/** Between match and decide, where several operations share a method and path: which of them does this request call? */
import {
  type Endpoint,
  type Match,
  type Objects,
  type Operation,
  objectsOf,
  type ReadArgument,
} from '@postern/schemas';
import type { UpstreamConfig } from '../config.ts';
import { type GraphQlSettings, readGraphQlCall } from './graphql.ts';
import { readMcpCall } from './mcp.ts';
import type { ReadRequest } from './read.ts';

export type Inspection =
  /** `lists`: the answer tells of tools, and only those that the caller may call are to be seen. */
  | {
      readonly outcome: 'read';
      readonly called: readonly [Endpoint, ...Endpoint[]];
      readonly lists: boolean;
      readonly objectsOf: (endpoint: Endpoint) => Objects;
    }
  /** It calls what no description declares. */
  | { readonly outcome: 'undeclared'; readonly name: string }
  | { readonly outcome: 'refused'; readonly why: string };

export type Inspect = (match: Match, read: ReadRequest, body: Uint8Array) => Inspection;
export type Inspector = Inspect & {
  /** From the next request on. */
  readonly configure: (services: GraphQlServices) => void;
};
/** How the GraphQL operations of a service are read, by the service's name. */
export type GraphQlServices = Readonly<Record<string, Pick<UpstreamConfig, 'graphql'>>>;

/** Bodies that have to be read whole before they are judged, at most; a service's own limit may be smaller. */
export const inspectedBytesMax = 1_048_576;

const withoutSettings: GraphQlSettings = { depthMax: 10, persisted: new Map() };

export const inspector = (configured: GraphQlServices): Inspector => {
  let services = configured;
  /** The operations of a place by what they are, made once for each publication. */
  const indexes = new WeakMap<readonly Endpoint[], ReadonlyMap<string, Endpoint>>();
  const indexOf = (operations: readonly Endpoint[]): ReadonlyMap<string, Endpoint> => {
    const known = indexes.get(operations);
    if (known !== undefined) return known;
    const made = new Map(
      operations.flatMap((each) => (each.operation ? [[keyOf(each.operation), each] as const] : [])),
    );
    indexes.set(operations, made);
    return made;
  };

  const inspect: Inspect = (match, read, body) => {
    const operations = match.operations ?? [];
    const kinds = new Set(operations.map(({ operation }) => operation?.kind === 'graphql'));
    if (kinds.size !== 1) return refused('operations of different kinds share this place');
    const why = unfitBody(read, body);
    if (why !== undefined) return refused(why);
    const called = kinds.has(true)
      ? graphQlOperations(read, body, services[match.service.name]?.graphql ?? withoutSettings)
      : mcpOperations(read, body);
    if ('why' in called) return refused(called.why);
    const index = indexOf(operations);
    const endpoints: Endpoint[] = [];
    for (const operation of called.operations) {
      const endpoint = index.get(keyOf(operation));
      if (endpoint === undefined) return { outcome: 'undeclared', name: nameOf(operation) };
      endpoints.push(endpoint);
    }
    const [first, ...others] = endpoints;
    if (first === undefined) return refused('the request calls nothing');
    return {
      outcome: 'read',
      called: [first, ...others],
      lists: called.operations.some(listsTools),
      objectsOf: (endpoint) => objectsOf({ endpoint, parameters: match.parameters }, called.argument(endpoint)),
    };
  };
  return Object.assign(inspect, {
    configure: (fresh: GraphQlServices) => {
      services = fresh;
    },
  });
};

const refused = (why: string): Inspection => ({ outcome: 'refused', why });

type Called =
  | {
      readonly operations: readonly Operation[];
      readonly argument: (endpoint: Endpoint) => ReadArgument | undefined;
    }
  | { readonly why: string };

const graphQlOperations = (read: ReadRequest, body: Uint8Array, settings: GraphQlSettings): Called => {
  const call = readGraphQlCall({ method: read.method, query: read.query, body }, settings);
  if (call.outcome === 'refused') return call;
  return {
    operations: call.fields.map((field) => ({ kind: 'graphql', type: call.type, field })),
    argument: ({ operation }) =>
      operation?.kind === 'graphql' ? (path) => call.argument(operation.field, path) : undefined,
  };
};

const mcpOperations = (read: ReadRequest, body: Uint8Array): Called => {
  const header = (name: string): string | undefined => headersNamed(read, name)[0];
  if (['mcp-method', 'mcp-name'].some((name) => headersNamed(read, name).length > 1))
    return { why: 'a header that names what is called comes twice' };
  const call = readMcpCall({ method: read.method, body, header });
  return call.outcome === 'refused' ? call : { operations: [call.operation], argument: () => call.argument };
};

/** What is listed may come back in the answer, or later on a stream that is opened again. */
const listsTools = (operation: Operation): boolean =>
  (operation.kind === 'mcp-method' && operation.method === 'tools/list') ||
  (operation.kind === 'mcp-transport' && operation.act === 'listen');

const keyOf = (operation: Operation): string => `${operation.kind}\n${nameOf(operation)}`;

/** As in the endpoint's id. */
export const nameOf = (operation: Operation): string => {
  switch (operation.kind) {
    case 'graphql':
      return `${operation.type}.${operation.field}`;
    case 'mcp':
      return `tool.${operation.tool}`;
    case 'mcp-method':
      return `rpc.${operation.method}`;
    case 'mcp-transport':
      return `mcp.${operation.act}`;
  }
};

const jsonType = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

const unfitBody = (read: ReadRequest, body: Uint8Array): string | undefined => {
  if (read.method !== 'POST')
    return body.length > 0 ? `a ${read.method} request to this endpoint carries no body` : undefined;
  const [type = ''] = headersNamed(read, 'content-type');
  if (!jsonType.test(type)) return 'the body has to be application/json in UTF-8';
  return headersNamed(read, 'content-encoding').some((each) => each.toLowerCase() !== 'identity')
    ? 'the body has to come without a Content-Encoding'
    : undefined;
};

const headersNamed = ({ headers }: ReadRequest, name: string): string[] => {
  const found: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (headers[at]?.toLowerCase() === name) found.push(headers[at + 1] ?? '');
  return found;
};
