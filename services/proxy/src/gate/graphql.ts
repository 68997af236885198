/**
 * Which root fields a GraphQL request calls. What the API could read in another way is refused: the document has to parse, one
 * operation has to be meant, and every fragment has to lead somewhere. `@skip` and `@include` do not count, nor do aliases: a field
 * that stands there is asked for. GraphQL over HTTP gives the members; GraphQL 2021-10 the language.
 */
import {
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { Values } from './argument-values.ts';
import { argumentReader } from './graphql-arguments.ts';
import { isObject, parseAsWritten, parseStrictJson, parseStrictText } from './strict-json.ts';

export type GraphQlSettings = {
  readonly depthMax: number;
  /** Documents by their SHA-256, which may be called without being sent. */
  readonly persisted: ReadonlyMap<string, string>;
};
export type GraphQlCall =
  | {
      readonly outcome: 'read';
      readonly type: 'query' | 'mutation' | 'subscription';
      readonly fields: readonly string[];
      /** The values of an argument of a field, or of a member of it, in every place where the field stands. */
      readonly argument: (field: string, path: string) => Values;
    }
  | { readonly outcome: 'refused'; readonly why: string };

const tokensMax = 10_000;
/** Root selections of one operation, aliases counted each. */
const rootSelectionsMax = 50;
/** Selections once fragments stand for what they hold. */
const selectionsMax = 10_000;

class Refused extends Error {}
const refuse = (why: string): never => {
  throw new Refused(why);
};

export const readGraphQlCall = (
  request: { readonly method: string; readonly query: string; readonly body: Uint8Array },
  settings: GraphQlSettings,
): GraphQlCall => {
  try {
    const posted = request.method === 'POST';
    if (posted && request.query !== '') refuse('a GraphQL request by POST carries no query in its target');
    const { document, name } = toDocument(posted ? membersOf(request.body) : parametersOf(request.query), settings);
    const { operation, nodes } = rootFields(document, name, settings.depthMax);
    const type = operation.operation;
    if (!posted && type !== 'query') refuse(`a ${type} has to come by POST`);
    const variables = () => variablesAsWritten(posted ? Buffer.from(request.body).toString() : request.query, posted);
    return {
      outcome: 'read',
      type,
      fields: [...new Set(nodes.map((each) => each.name.value))],
      argument: argumentReader(nodes, operation, variables),
    };
  } catch (error) {
    return {
      outcome: 'refused',
      why: error instanceof Refused ? error.message : 'the GraphQL document cannot be read',
    };
  }
};

type Members = Readonly<Record<string, unknown>>;
const known: ReadonlySet<string> = new Set(['query', 'operationName', 'variables', 'extensions', 'documentId']);

const membersOf = (body: Uint8Array): Members => {
  const read = parseStrictJson(body);
  if ('why' in read) return refuse(`the body cannot be read: ${read.why}`);
  if (Array.isArray(read.value)) return refuse('several GraphQL requests in one are not passed');
  return isObject(read.value) ? read.value : refuse('the body is no GraphQL request');
};

const parametersOf = (query: string): Members => {
  const members: Record<string, unknown> = {};
  if (query.includes(';')) refuse('the query holds a semicolon, at which some servers divide it');
  for (const part of query.slice(1).split('&')) {
    const equals = part.indexOf('=');
    const [name, text] = [decoded(part.slice(0, Math.max(equals, 0))), decoded(part.slice(equals + 1))];
    if (equals < 0 || name in members) return refuse('the query names a parameter twice, or gives it no value');
    if (name !== 'variables' && name !== 'extensions') members[name] = text;
    else {
      const read = parseStrictText(text);
      members[name] = 'why' in read ? refuse(`${name} cannot be read: ${read.why}`) : read.value;
    }
  }
  return members;
};
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return refuse('the query holds what is not text in UTF-8');
  }
};

/** Once more, of what was found to be strict, with the numbers as they stand there. */
const variablesAsWritten = (text: string, posted: boolean): Members => {
  const parameter = (): string => {
    const found = text
      .slice(1)
      .split('&')
      .find((each) => each.startsWith('variables='));
    return found === undefined ? 'null' : decoded(found.slice('variables='.length));
  };
  const read = parseAsWritten(posted ? text : parameter());
  const variables = posted && isObject(read) ? read['variables'] : read;
  return isObject(variables) ? variables : {};
};

const toDocument = (
  members: Members,
  { persisted }: GraphQlSettings,
): { document: string; name: string | undefined } => {
  for (const name of Object.keys(members)) if (!known.has(name)) refuse(`a GraphQL request has no member "${name}"`);
  const { query, operationName = null, variables = null, extensions = null, documentId } = members;
  if (operationName !== null && (typeof operationName !== 'string' || operationName === ''))
    refuse('operationName has to be a name');
  for (const [name, value] of Object.entries({ variables, extensions }))
    if (value !== null && !isObject(value)) refuse(`${name} has to be an object`);
  const name = typeof operationName === 'string' ? operationName : undefined;
  const hashes = [documentId, isObject(extensions) ? hashIn(extensions['persistedQuery']) : undefined].filter(
    (hash) => hash !== undefined,
  );
  if (query !== undefined) {
    if (typeof query !== 'string') return refuse('query has to be text');
    if (hashes.length > 0) refuse('the request carries a document and names another');
    return { document: query, name };
  }
  const [hash] = hashes;
  if (hash === undefined || hashes.length > 1) return refuse('the request has to carry or name one document');
  const document = typeof hash === 'string' ? persisted.get(hash.replace(/^sha256:/, '')) : undefined;
  return { document: document ?? refuse('no such document is known here'), name };
};

const hashIn = (persistedQuery: unknown): unknown =>
  persistedQuery === undefined ? undefined : isObject(persistedQuery) ? (persistedQuery['sha256Hash'] ?? null) : null;

/** Control characters and line ends to some readers only: what a comment hides would be in doubt. */
const isDoubtful = (document: string): boolean => {
  for (let at = 0; at < document.length; at++) {
    const code = document.charCodeAt(at);
    if (code < 0x20 ? code !== 9 && code !== 10 && code !== 13 : code >= 0x7f && code <= 0x9f) return true;
    if (code === 0x2028 || code === 0x2029) return true;
  }
  return !document.isWellFormed();
};

const rootFields = (document: string, name: string | undefined, depthMax: number) => {
  if (isDoubtful(document)) refuse('the GraphQL document holds a doubtful character');
  const operations: OperationDefinitionNode[] = [];
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of parse(document, { maxTokens: tokensMax, noLocation: true }).definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    else if (definition.kind !== Kind.FRAGMENT_DEFINITION) refuse('the GraphQL document defines types');
    else if (fragments.has(definition.name.value)) refuse(`the fragment ${definition.name.value} stands twice`);
    else fragments.set(definition.name.value, definition);
  }
  const named = operations.map((each) => each.name?.value);
  if (new Set(named).size < named.length) refuse('two operations have the same name');
  const meant = name === undefined ? operations : operations.filter((each) => each.name?.value === name);
  const [operation] = meant;
  if (operation === undefined || meant.length > 1) return refuse('the request does not say which operation it means');
  measure(operation.selectionSet, fragments, depthMax);
  return { operation, nodes: fieldsAtRoot(operation.selectionSet, fragments) };
};

/** The fields at the top, through fragments of whatever type, in their order. */
const fieldsAtRoot = (root: SelectionSetNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): FieldNode[] => {
  const fields: FieldNode[] = [];
  const followed = new Set<string>();
  let selections = 0;
  const collect = (set: SelectionSetNode): void => {
    for (const selection of set.selections)
      if (selection.kind === Kind.FIELD) {
        fields.push(selection);
        if (++selections > rootSelectionsMax) refuse(`more than ${rootSelectionsMax} fields at the top`);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!followed.has(selection.name.value)) {
        followed.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) collect(fragment.selectionSet);
      }
  };
  collect(root);
  return fields;
};

type Measure = { readonly depth: number; readonly selections: number };

/** Refuses what is too deep or too wide, fragments in a circle and fragments that are not there. Each fragment is measured once. */
const measure = (
  root: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  depthMax: number,
): void => {
  const measured = new Map<string, Measure>();
  const open = new Set<string>();
  const ofFragment = (name: string): Measure => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    if (open.has(name)) return refuse(`the fragment ${name} holds itself`);
    const fragment = fragments.get(name) ?? refuse(`there is no fragment ${name}`);
    open.add(name);
    const found = ofSet(fragment.selectionSet);
    open.delete(name);
    measured.set(name, found);
    return found;
  };
  const ofSet = (set: SelectionSetNode): Measure => {
    let depth = 0;
    let selections = 0;
    for (const selection of set.selections) {
      let inside: Measure = { depth: 0, selections: 0 };
      if (selection.kind === Kind.FRAGMENT_SPREAD) inside = ofFragment(selection.name.value);
      else if (selection.selectionSet !== undefined) inside = ofSet(selection.selectionSet);
      depth = Math.max(depth, inside.depth + (selection.kind === Kind.FIELD ? 1 : 0));
      selections += inside.selections + 1;
    }
    if (depth > depthMax) refuse(`the operation is deeper than ${depthMax}`);
    if (selections > selectionsMax) refuse(`the operation selects more than ${selectionsMax} fields`);
    return { depth, selections };
  };
  ofSet(root);
};
