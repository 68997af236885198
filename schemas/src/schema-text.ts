/**
 * What a published schema declares, read off its text: types, relations with their subject types, permissions. No compiler: the
 * engine has the last word on whether a schema is one. This answers only "may this relationship be written under it?" and "does
 * anything lie behind a subject of this type?", and where it cannot read the text it says so.
 */

export type SubjectType = { readonly type: string; readonly relation?: string };
export type Definition = {
  /** Relation → whom it takes. */
  readonly relations: ReadonlyMap<string, readonly SubjectType[]>;
  /** Permission → its expression. */
  readonly permissions: ReadonlyMap<string, string>;
};
export type SchemaText = {
  readonly definitions: ReadonlyMap<string, Definition>;
  /** In some permission an arrow asks for all subjects of a relation: then one more subject may take a permission from others. */
  readonly asksForAll: boolean;
};

/** Undefined where the text holds what is not understood here (an import, a partial, an unclosed brace). */
export const readSchemaText = (text: string): SchemaText | undefined => {
  const plain = text
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/[^\n]*/g, ' ')
    .replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
  const definitions = new Map<string, Definition>();
  let rest = plain.trim();
  while (rest !== '') {
    const head = /^(?:use\s+\w+|(definition|caveat)\s+([\w/]+)\s*(\([^)]*\))?\s*\{)/.exec(rest);
    if (head === null) return undefined;
    const [opening, kind, name] = head;
    if (kind === undefined || name === undefined) {
      rest = rest.slice(opening.length).trim();
      continue;
    }
    const end = closing(rest, opening.length);
    if (end === undefined) return undefined;
    if (kind === 'definition') {
      const definition = readDefinition(rest.slice(opening.length, end));
      if (definition === undefined || definitions.has(name)) return undefined;
      definitions.set(name, definition);
    }
    rest = rest.slice(end + 1).trim();
  }
  const expressions = [...definitions.values()].flatMap(({ permissions }) => [...permissions.values()]);
  return { definitions, asksForAll: expressions.some((expression) => /\.\s*all\s*\(/.test(expression)) };
};

/** Where the brace opened before `from` is closed. */
const closing = (text: string, from: number): number | undefined => {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return undefined;
};

const member = /^(relation|permission)\s+(\w+)\s*(?::\s*([^=]*?))?(?:=([\s\S]*))?$/;
const subject = /^([a-z][\w/]*)(?:#(\w+)|:\*)?(?:\s+with\s+[\w/]+(?:\s+and\s+\w+)?)?$/;

const readDefinition = (body: string): Definition | undefined => {
  const relations = new Map<string, readonly SubjectType[]>();
  const permissions = new Map<string, string>();
  for (const part of body.split(/\b(?=(?:relation|permission)\s+\w+\s*[:=])/)) {
    const text = part.trim();
    if (text === '') continue;
    const read = member.exec(text);
    if (read === null) return undefined;
    const [, kind, name = '', types = '', expression] = read;
    if (kind === 'permission') permissions.set(name, expression?.trim() ?? '');
    else {
      const taken: SubjectType[] = [];
      for (const each of types.split('|')) {
        const [whole, type, relation] = subject.exec(each.trim()) ?? [];
        if (whole === undefined || type === undefined) return undefined;
        // A wildcard takes no single subject, and a relationship under a caveat is written by no fact.
        if (whole.includes(':*') || /\swith\s/.test(whole)) continue;
        taken.push({ type, ...(relation !== undefined && { relation }) });
      }
      relations.set(name, taken);
    }
  }
  return { relations, permissions };
};

/** Why the schema knows no such relationship, or undefined where it does. */
export const unknownRelation = (
  { definitions }: SchemaText,
  relationship: { readonly resource: string; readonly relation: string; readonly subject: string },
): string | undefined => {
  const [resource = ''] = relationship.resource.split(':', 1);
  const [object = '', subjectRelation] = relationship.subject.split('#', 2);
  const [subjectType = ''] = object.split(':', 1);
  const definition = definitions.get(resource);
  if (definition === undefined)
    return `the published schema defines no ${resource}; it defines ${[...definitions.keys()].join(', ')}`;
  const takes = definition.relations.get(relationship.relation);
  if (takes === undefined) {
    const known = [...definition.relations.keys()].join(', ') || 'none';
    const kind = definition.permissions.has(relationship.relation) ? 'a permission' : 'no relation';
    return `${relationship.relation} is ${kind} of ${resource}; its relations are ${known}`;
  }
  if (takes.some(({ type, relation }) => type === subjectType && relation === subjectRelation)) return undefined;
  const wanted = takes.map(({ type, relation }) => (relation === undefined ? type : `${type}#${relation}`)).join(', ');
  return `${resource}#${relationship.relation} takes ${wanted || 'nobody that a fact could name'}, not ${subjectType}${subjectRelation === undefined ? '' : `#${subjectRelation}`}`;
};

/** Types that nothing goes through: a relationship with such a subject concerns that subject alone. */
export const leafTypes = ({ definitions, asksForAll }: SchemaText): ReadonlySet<string> =>
  new Set(
    asksForAll
      ? []
      : [...definitions].flatMap(([name, { relations, permissions }]) =>
          relations.size === 0 && permissions.size === 0 ? [name] : [],
        ),
  );
