/** A GraphQL schema's root fields, and the documents that may be called by their hash. */
import { createHash } from 'node:crypto';
import { endpointsFromGraphQl, type RootField } from '@postern/schemas';
import { type DefinitionNode, GraphQLError, Kind, parse } from 'graphql';
import type { Described } from './openapi-files.ts';
import { lineFinder, readParsed, readText } from './parsed-file.ts';
import type { FileMistake } from './yaml-file.ts';

const lineIn = (error: unknown): number => (error instanceof GraphQLError ? (error.locations?.[0]?.line ?? 1) : 1);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Beside the endpoints, the arguments of each field by its name, `query.employee`: a rule that names another could never be asked. */
export type DescribedFields = Described & { readonly argumentsOf: ReadonlyMap<string, readonly string[]> };

export const readGraphQl = (service: string, path: string, file: string): DescribedFields => {
  const argumentsOf = new Map<string, readonly string[]>();
  const refused = (line: number, what: string): DescribedFields => ({
    argumentsOf,
    endpoints: [],
    mistakes: [{ file, line, what }],
    notes: [],
  });
  const read = readText(file);
  if ('why' in read) return refused(1, read.why);
  let definitions: readonly DefinitionNode[];
  try {
    ({ definitions } = parse(read.text));
  } catch (error) {
    return refused(lineIn(error), messageOf(error));
  }
  // The root types by their names: `schema { … }` says them, or they have the usual ones.
  const roots = new Map<string, RootField['type']>();
  for (const definition of definitions)
    if (definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION)
      for (const { operation, type } of definition.operationTypes ?? []) roots.set(type.name.value, operation);
  if (!definitions.some(({ kind }) => kind === Kind.SCHEMA_DEFINITION))
    for (const [name, type] of [
      ['Query', 'query'],
      ['Mutation', 'mutation'],
      ['Subscription', 'subscription'],
    ] as const)
      if (![...roots.values()].includes(type)) roots.set(name, type);

  const fields: RootField[] = [];
  const mistakes: FileMistake[] = [];
  const seen = new Set<string>();
  for (const definition of definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION) continue;
    const type = roots.get(definition.name.value);
    if (type === undefined) continue;
    for (const { name, loc, arguments: taken = [] } of definition.fields ?? []) {
      const key = `${type}.${name.value}`;
      const line = loc?.startToken.line ?? 1;
      if (seen.has(key)) mistakes.push({ file, line, what: `${key} is declared twice` });
      else if (name.value.startsWith('__'))
        mistakes.push({ file, line, what: `${key}: names with __ are GraphQL's own` });
      else {
        fields.push({ type, field: name.value });
        argumentsOf.set(
          key,
          taken.map((each) => each.name.value),
        );
      }
      seen.add(key);
    }
  }
  if (mistakes.length === 0 && fields.length === 0)
    return refused(1, 'the schema declares no field of a query, mutation or subscription type');
  return { endpoints: endpointsFromGraphQl(service, path, fields), mistakes, notes: [], argumentsOf };
};

export type Persisted = { readonly documents: ReadonlyMap<string, string>; readonly mistakes: readonly FileMistake[] };

/**
 * `{ "<sha256>": "<document>" }`, or Apollo's manifest. The id has to be the document's SHA-256 in lower-case hex: then the gate and
 * the API mean the same document by it.
 */
export const readPersisted = (file: string): Persisted => {
  const documents = new Map<string, string>();
  const read = readParsed(file);
  if ('mistakes' in read) return { documents, mistakes: read.mistakes.map((mistake) => ({ file, ...mistake })) };
  const mistakes: FileMistake[] = [];
  let find: ((pointer: string) => number) | undefined;
  for (const { id, body, pointer } of entriesOf(read.value)) {
    const say = (what: string, fix?: string): void => {
      find ??= lineFinder(read.text);
      mistakes.push({ file, line: find(pointer), what, ...(fix !== undefined && { fix }) });
    };
    if (typeof id !== 'string' || typeof body !== 'string') {
      say('an entry has to be an id and the text of its document');
      continue;
    }
    const digest = createHash('sha256').update(body).digest('hex');
    if (id !== digest) say(`the id "${id}" is not the document's SHA-256`, digest);
    else if (documents.has(id)) say(`the id "${id}" stands twice`);
    else
      try {
        parse(body);
        documents.set(id, body);
      } catch (error) {
        say(`the document ${id} cannot be read: ${messageOf(error)}`);
      }
  }
  return { documents, mistakes };
};

const entriesOf = (value: unknown): { id: unknown; body: unknown; pointer: string }[] => {
  if (typeof value !== 'object' || value === null) return [{ id: undefined, body: undefined, pointer: '' }];
  const { operations } = value as { operations?: unknown };
  if (Array.isArray(operations))
    return operations.map((each, index) => ({ id: each?.id, body: each?.body, pointer: `/operations/${index}` }));
  return Object.entries(value).map(([id, body]) => ({ id, body, pointer: `/${id}` }));
};
