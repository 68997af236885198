/** Relationships: the projection of facts in the graph. */
import type { Conditions } from './conditions.ts';

/** `resource#relation@subject`, with the alternatives of the caveat `holds` where every grant behind it is conditional. */
export type Relationship = {
  /** `type:id` */
  readonly resource: string;
  readonly relation: string;
  /** `type:id` or `type:id#relation` */
  readonly subject: string;
  readonly anyOf?: readonly Conditions[];
  /** A caveat of the engineers' own schema, instead of `holds`; no fact writes one. */
  readonly caveat?: { readonly name: string; readonly context?: Readonly<Record<string, unknown>> };
};

export type RelationshipUpdate = { readonly operation: 'touch' | 'delete'; readonly relationship: Relationship };

/** What SpiceDB keys a relationship by: two with the same key replace each other. */
export const relationshipKey = ({ resource, relation, subject }: Relationship): string =>
  `${resource}#${relation}@${subject}`;

/** Where a role's allowance on objects stands in the graph: `employee:*` and `view` → `object_permission:employee/view`. */
export const objectPermission = (object: string, permission: string): string => {
  const colon = object.indexOf(':');
  const [type, id] = [object.slice(0, colon), object.slice(colon + 1)];
  return `object_permission:${type}/${permission}${id === '*' ? '' : `/${id}`}`;
};

/** One line of canonical text per relationship: comparing sets of them compares graphs. */
export const relationshipText = (relationship: Relationship): string => {
  const { anyOf, caveat } = relationship;
  if (anyOf !== undefined) return `${relationshipKey(relationship)}[holds:${canonicalJson({ any_of: anyOf })}]`;
  if (caveat === undefined) return relationshipKey(relationship);
  return `${relationshipKey(relationship)}[${caveat.name}:${canonicalJson(caveat.context ?? {})}]`;
};

/** JSON with sorted keys: the caveat context comes back from the engine with its keys in another order. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
};
