/** All endpoints of one service, out of whatever describes them. */
import { statSync } from 'node:fs';
import { type Endpoint, looksHiding, RoutesYaml, routeOf, type ServiceConfig, withRouteFile } from '@postern/schemas';
import { readGraphQl, readPersisted } from './graphql-files.ts';
import { readProto } from './grpc-file.ts';
import { within } from './load.ts';
import { readMcp } from './mcp-tools.ts';
import { type Described, readOpenApi } from './openapi-files.ts';
import { strangeArguments } from './strange-arguments.ts';
import { type FileMistake, readYamlFile, unreadable } from './yaml-file.ts';

export type ServiceFiles = {
  readonly name: string;
  readonly config: ServiceConfig;
  /** Where relative paths begin. */
  readonly folder: string;
  /** A mistake in the configuration itself, at a member of the service. */
  readonly at: (path: readonly PropertyKey[], what: string, fix?: string) => FileMistake;
};

export const readRoutes = ({ name, config, folder, at }: ServiceFiles): Described => {
  const { openapi, routes, grpc, graphql, mcp, servers, upstream } = config;
  const find = (path: string): string => within(folder, path);
  const missing: FileMistake[] = [];
  const sources: { readonly member: string; readonly read: Described }[] = [];
  const take = (member: string, read: Described): void => void sources.push({ member, read });
  let argumentsOf: ReadonlyMap<string, readonly string[]> = new Map();
  /** A file that is not there is a mistake of whoever names it. */
  const there = (member: readonly PropertyKey[], path: string): boolean => {
    try {
      if (!statSync(find(path)).isDirectory()) return true;
      missing.push(at(member, `${path}: this is a folder, not a file`));
    } catch (error) {
      missing.push(at(member, `${path}: ${unreadable(error)}`, 'name the file, relative to this one'));
    }
    return false;
  };
  if (openapi !== undefined && there(['openapi'], openapi)) take('openapi', readOpenApi(name, find(openapi), servers));
  const { files, include } = protoFiles(grpc);
  for (const file of files)
    if (there(['grpc'], file))
      take(
        'grpc',
        readProto(name, find(file), { top: folder, include: include.map((each) => find(each)), mount: config.mount }),
      );
  if (graphql !== undefined && there(['graphql', 'schema'], graphql.schema)) {
    const read = readGraphQl(name, graphql.path, find(graphql.schema));
    argumentsOf = read.argumentsOf;
    take('graphql', read);
    if (graphql.persisted !== undefined && there(['graphql', 'persisted'], graphql.persisted))
      take('graphql', { endpoints: [], mistakes: readPersisted(find(graphql.persisted)).mistakes, notes: [] });
  }
  if (mcp !== undefined && (typeof mcp.tools !== 'string' || there(['mcp', 'tools'], mcp.tools)))
    take('mcp', readMcp(name, mcp, { within: find, at: (what) => at(['mcp', 'tools'], what) }));

  const mistakes: FileMistake[] = [...missing, ...sources.flatMap(({ read }) => read.mistakes)];
  const notes: FileMistake[] = sources.flatMap(({ read }) => read.notes);
  let endpoints: readonly Endpoint[] = sources.flatMap(({ read }) => read.endpoints);
  for (const { member, what } of clashes(sources)) mistakes.push(at([member], what));

  if (routes !== undefined) {
    const file = find(routes);
    const read = readYamlFile(file, RoutesYaml);
    if (read.outcome === 'unreadable') mistakes.push(at(['routes'], `${routes}: ${read.why}`));
    else if (read.outcome === 'mistaken') mistakes.push(...read.mistakes);
    else {
      const merged = withRouteFile(name, endpoints, read.value);
      endpoints = merged.endpoints;
      for (const { path, what, fix } of merged.problems)
        mistakes.push({ file, line: read.lineOf(path), what, ...(fix !== undefined && { fix }) });
      for (const [index, entry] of read.value.entries())
        for (const { what, fix, key } of strangeArguments(entry, argumentsOf))
          mistakes.push({ file, line: read.lineOf([index, key, 'objects']), what, fix });
    }
  }

  const base = new URL(upstream).pathname.replace(/\/$/, '');
  if (base !== '' && openapi !== undefined && endpoints.some(({ template }) => template.startsWith(`${base}/`)))
    notes.push(
      at(
        ['servers'],
        `the upstream and the templates both begin with ${base}, so the API is asked for ${base}${base}`,
        'servers: ignore',
      ),
    );
  if (openapi === undefined && routes === undefined && sources.length + missing.length === 0)
    notes.push(
      at([], `the service ${name} describes no endpoint, so every call of it is refused`, 'openapi or routes'),
    );
  const atItsName = sources.some(
    ({ member, read }) => member === 'grpc' && read.endpoints.some(({ template }) => template.lastIndexOf('/') === 0),
  );
  if (atItsName && base !== config.mount)
    mistakes.push(
      at(
        ['upstream'],
        `${name} is mounted at a gRPC service's own name, and its upstream does not end with it`,
        `upstream: ${new URL(upstream).origin}${config.mount}`,
      ),
    );
  if (files.length > 0 && config.protocol === 'http1')
    notes.push(
      at(
        ['grpc'],
        `gRPC needs HTTP/2, and ${name} is spoken to by HTTP/1.1: only gRPC-Web and Connect pass`,
        'protocol: http2',
      ),
    );
  for (const hiding of endpoints.filter(looksHiding))
    notes.push(
      at(
        [],
        `${hiding.method} ${hiding.template} looks as if many operations hide behind it, and it declares none`,
        'declare them with graphql or mcp, or mark it opaque: true (or false, where it hides nothing)',
      ),
    );
  return { endpoints, mistakes, notes };
};

const protoFiles = (grpc: ServiceConfig['grpc']): { readonly files: string[]; readonly include: string[] } =>
  grpc === undefined
    ? { files: [], include: [] }
    : typeof grpc === 'string' || Array.isArray(grpc)
      ? { files: [grpc].flat(), include: [] }
      : { files: [grpc.files].flat(), include: grpc.include };

/** The same route or the same name from two descriptions: which of them is meant cannot be told. */
function* clashes(
  sources: readonly { readonly member: string; readonly read: Described }[],
): Generator<{ member: string; what: string }> {
  const routes = new Map<string, { readonly operation: boolean; readonly member: string }>();
  const ids = new Set<string>();
  for (const { member, read } of sources)
    for (const endpoint of read.endpoints) {
      if (ids.has(endpoint.id)) yield { member, what: `two descriptions name ${endpoint.id}` };
      ids.add(endpoint.id);
      const route = routeOf(endpoint);
      if (route === undefined) continue;
      const before = routes.get(route);
      if (before === undefined) routes.set(route, { operation: endpoint.operation !== undefined, member });
      else if (before.member !== member)
        yield { member, what: `${endpoint.method} ${endpoint.template} is described by ${before.member} too` };
    }
}
