/**
 * Which endpoint a request calls. The gate decides on the answer, so the matcher is our own and small enough to be read whole
 * (docs/adr: find-my-way decodes, folds and falls back in ways of its own, and a router's fallback is a gate's bypass).
 *
 * A trie of segments per service and method. At each place a literal goes before a partial (`{name}.json`), that before `{name}`,
 * that before `{name+}`, with backtracking. The work depends on the request's depth and not on the number of routes.
 *
 * Many servers ignore case in paths (Express, ASP.NET, IIS). A path that a literal would take if case were ignored is therefore
 * never taken by a placeholder: `/users/EXPORT` is not `/users/{id}` where `/users/export` exists. It matches nothing.
 */
import type { Endpoint, Service } from './endpoint.ts';
import { matchPartial, namesOf, parseTemplate, type TemplateSegment } from './template.ts';

export type Match = {
  readonly service: Service;
  /** The first one published where several operations share the method and path. */
  readonly endpoint: Endpoint;
  /** All operations that share the method and path: the body says which of them are called. */
  readonly operations?: readonly Endpoint[];
  readonly parameters: Readonly<Record<string, string>>;
  /** The path below the service's mount, as received: what the API behind the gate is asked for. */
  readonly below: string;
};

export type RouteMatcher = {
  /** `path` and `segments` as {@link readTarget} gave them. */
  readonly match: (method: string, target: { path: string; segments: readonly string[] }) => Match | undefined;
};

type Partial = { readonly texts: readonly string[]; readonly folded: readonly string[]; readonly node: Node };
type Leaf = {
  readonly endpoint: Endpoint;
  readonly names: readonly string[];
  readonly operations: Endpoint[] | undefined;
};
type Node = {
  readonly literals: Map<string, Node>;
  /** The literals by their lower-case spelling. */
  readonly folded: Map<string, Node[]>;
  readonly partials: Partial[];
  parameter: Node | undefined;
  rest: Leaf | undefined;
  leaf: Leaf | undefined;
};
type Mounted = { readonly service: Service; readonly length: number; readonly methods: ReadonlyMap<string, Node> };
type MountNode = { readonly below: Map<string, MountNode>; readonly folded: Set<string>; mounted: Mounted | undefined };

const node = (): Node => ({
  literals: new Map(),
  folded: new Map(),
  partials: [],
  parameter: undefined,
  rest: undefined,
  leaf: undefined,
});
const mountNode = (): MountNode => ({ below: new Map(), folded: new Set(), mounted: undefined });

/** Compiles the services; an endpoint whose template cannot be read matches nothing, so what it names is refused. */
export const routeMatcher = (services: Iterable<Service>): RouteMatcher => {
  const root = mountNode();
  for (const service of services) {
    let at = root;
    for (const segment of mountSegments(service.mount)) {
      const below = at.below.get(segment) ?? mountNode();
      at.below.set(segment, below);
      at.folded.add(segment.toLowerCase());
      at = below;
    }
    at.mounted ??= { service, length: mountLength(service.mount), methods: compile(service) };
  }
  return {
    match: (method, { path, segments }) => {
      const found = findMount(root, segments);
      if (found === undefined) return undefined;
      const { mounted, depth } = found;
      const tree = mounted.methods.get(method === 'HEAD' ? 'GET' : method);
      if (tree === undefined) return undefined;
      const values: string[] = [];
      const leaf = walk(tree, segments, depth, values);
      if (leaf === undefined || leaf === otherCase) return undefined;
      const { service, length } = mounted;
      const { endpoint, operations, names } = leaf;
      const parameters = names.length === 0 ? none : valuesByName(names, values);
      const below = path.slice(length);
      return operations === undefined
        ? { service, endpoint, parameters, below }
        : { service, endpoint, operations, parameters, below };
    },
  };
};

const none: Readonly<Record<string, string>> = Object.freeze(Object.create(null));
const valuesByName = (names: readonly string[], values: readonly string[]): Record<string, string> => {
  // A literal keeps its shape, where Object.create(null) makes a table.
  const byName = { __proto__: null } as unknown as Record<string, string>;
  for (let at = 0; at < names.length; at++) byName[names[at] ?? ''] = values[at] ?? '';
  return byName;
};

const mountSegments = (mount: string): string[] => mount.split('/').filter((segment) => segment !== '');
const mountLength = (mount: string): number =>
  mountSegments(mount).reduce((sum, segment) => sum + 1 + segment.length, 0);

/** The deepest mount above the path. A mount's path belongs to its service alone: nothing falls back to a shallower one. */
const findMount = (root: MountNode, segments: readonly string[]): { mounted: Mounted; depth: number } | undefined => {
  let at = root;
  let found = at.mounted && { mounted: at.mounted, depth: 0 };
  for (const [index, segment] of segments.entries()) {
    const below = at.below.get(segment);
    if (below === undefined) return at.folded.has(segment.toLowerCase()) ? undefined : found;
    at = below;
    if (at.mounted) found = { mounted: at.mounted, depth: index + 1 };
  }
  return found;
};

const compile = (service: Service): ReadonlyMap<string, Node> => {
  const methods = new Map<string, Node>();
  for (const endpoint of service.endpoints) {
    const parsed = parseTemplate(endpoint.template);
    if (parsed.outcome === 'refused') continue;
    const names = parsed.segments.flatMap(namesOf);
    for (const method of methodsOf(endpoint)) {
      const tree = methods.get(method) ?? node();
      methods.set(method, tree);
      insert(tree, parsed.segments, {
        endpoint,
        names,
        operations: endpoint.operation === undefined ? undefined : [endpoint],
      });
    }
  }
  return methods;
};

/** A GraphQL query may come as GET too: it is the same endpoint. */
const methodsOf = ({ method, operation }: Endpoint): readonly string[] =>
  operation?.kind === 'graphql' && operation.type === 'query' ? [method, 'GET'] : [method];

/** Operations share a place; of others the first keeps it. Operations go before anything that would pass a body unread. */
const settle = (held: Leaf | undefined, leaf: Leaf): Leaf => {
  if (held === undefined) return leaf;
  if (leaf.operations === undefined) return held;
  if (held.operations === undefined) return leaf;
  held.operations.push(...leaf.operations);
  return held;
};

const insert = (tree: Node, segments: readonly TemplateSegment[], leaf: Leaf): void => {
  let at = tree;
  for (const segment of segments) {
    switch (segment.kind) {
      case 'literal': {
        let below = at.literals.get(segment.text);
        if (below === undefined) {
          below = node();
          at.literals.set(segment.text, below);
          const key = segment.text.toLowerCase();
          at.folded.set(key, [...(at.folded.get(key) ?? []), below]);
        }
        at = below;
        break;
      }
      case 'partial':
        at = partialBelow(at, segment.texts);
        break;
      case 'parameter':
        at.parameter ??= node();
        at = at.parameter;
        break;
      case 'rest':
        at.rest = settle(at.rest, leaf);
        return;
    }
  }
  at.leaf = settle(at.leaf, leaf);
};

const literalLength = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

/** The more a partial spells out, the earlier it is tried. */
const partialBelow = (at: Node, texts: readonly string[]): Node => {
  const known = at.partials.find((partial) => partial.texts.join('{') === texts.join('{'));
  if (known) return known.node;
  const added = { texts, folded: texts.map((text) => text.toLowerCase()), node: node() };
  at.partials.push(added);
  at.partials.sort(
    (a, b) => literalLength(b.texts) - literalLength(a.texts) || (a.texts.join('{') < b.texts.join('{') ? -1 : 1),
  );
  return added.node;
};

const otherCase = Symbol('a literal takes it in another case');

/** Finds the leaf of `segments` from `depth` on; `values` then holds the placeholders' values in order. */
const walk = (
  at: Node,
  segments: readonly string[],
  depth: number,
  values: string[],
): Leaf | typeof otherCase | undefined => {
  const segment = segments[depth];
  if (segment === undefined) return at.leaf;
  const literal = at.literals.get(segment);
  if (literal !== undefined) {
    const found = walk(literal, segments, depth + 1, values);
    if (found !== undefined) return found;
  }
  const held = values.length;
  for (const alike of at.folded.get(segment.toLowerCase()) ?? []) {
    if (alike === literal) continue;
    if (walk(alike, segments, depth + 1, values) !== undefined) return otherCase;
    values.length = held;
  }
  if (segment === '') return undefined;
  for (const partial of at.partials) {
    const exact = matchPartial(partial.texts, segment);
    const taken = exact ?? matchPartial(partial.folded, segment.toLowerCase());
    if (taken === undefined) continue;
    values.push(...taken);
    const found = walk(partial.node, segments, depth + 1, values);
    if (found !== undefined) return exact ? found : otherCase;
    values.length = held;
  }
  if (at.parameter !== undefined) {
    values.push(segment);
    const found = walk(at.parameter, segments, depth + 1, values);
    if (found !== undefined) return found;
    values.length = held;
  }
  // A trailing slash is not part of a rest: a server that ignores it would answer for the literal path instead.
  if (at.rest === undefined || segments[segments.length - 1] === '') return undefined;
  values.push(segments.slice(depth).join('/'));
  return at.rest;
};
