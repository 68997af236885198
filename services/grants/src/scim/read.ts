/**
 * What a client wrote, as the schema has it: names in their own spelling, values of their types, what means "nothing" left out,
 * what is not defined or not writable passed over. Takes what Entra ID and Okta send: "False" for false, a manager as text,
 * one value where a list is meant, dotted names, and the extension's attributes with the URN before each.
 */
import type { ProfileKind } from '@postern/profiles';
import { type Attribute, coreUrn, definitionOf, named } from './definitions.ts';
import { refuse } from './failures.ts';
import { asObject, type Place, placeOf } from './paths.ts';

export type Document = Record<string, unknown>;

const documentBytesMax = 65_536;
const valuesMax = 100;

/** Throws `grants/scim-invalid`. */
export const readResource = (kind: ProfileKind, body: unknown): Document => {
  const written = asObject(body);
  if (written === undefined) throw refuse('invalidSyntax', 'a resource is a JSON object');
  const schemas = Object.entries(written).find(([name]) => name.toLowerCase() === 'schemas')?.[1];
  if (schemas !== undefined && !(Array.isArray(schemas) && schemas.some((each) => sameText(each, coreUrn(kind)))))
    throw refuse('invalidSyntax', `schemas does not name ${coreUrn(kind)}`);
  const document: Document = {};
  const seen = new Set<string>();
  for (const [name, value] of entriesOf(kind, written)) {
    const place = placeOf(kind, name);
    if (place?.attribute === undefined || isReadOnly(place)) continue;
    const key = [place.extension, place.attribute.name, place.sub?.name].join('\n');
    if (seen.has(key)) throw refuse('invalidSyntax', `${name} is there twice`);
    seen.add(key);
    put(document, place, readAt(place, value));
  }
  return complete(kind, document);
};

/** An extension's object is taken apart, so that every entry names one attribute. */
export const entriesOf = (kind: ProfileKind, written: Document): [string, unknown][] =>
  Object.entries(written).flatMap(([name, value]): [string, unknown][] => {
    const place = name.includes('[') ? undefined : placeOf(kind, name);
    if (place === undefined || place.attribute !== undefined) return [[name, value]];
    const inner = asObject(value);
    if (inner === undefined) return [];
    return Object.entries(inner).map(([each, found]) => [`${place.extension ?? coreUrn(kind)}:${each}`, found]);
  });

export const isReadOnly = ({ attribute, sub }: Place): boolean =>
  attribute?.mutability === 'readOnly' || sub?.mutability === 'readOnly';

/** The value as the attribute has it; undefined where it means that there is none. */
export const readAt = ({ attribute, sub }: Place, value: unknown): unknown => {
  if (attribute === undefined) return undefined;
  if (sub === undefined) return readValue(attribute, value, attribute.name);
  return readOne(sub, value, `${attribute.name}.${sub.name}`);
};

const readValue = (attribute: Attribute, value: unknown, where: string): unknown => {
  if (!attribute.multiValued) {
    // Entra ID sends a single value as a list of one.
    const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return readOne(attribute, single, where);
  }
  if (value === null || value === undefined || value === '') return undefined;
  const values = (Array.isArray(value) ? value : [value])
    .map((each) => readOne(attribute, each, where))
    .filter((each) => each !== undefined);
  if (attribute.name !== 'members' && values.length > valuesMax)
    throw refuse('invalidValue', `${where} has more than ${valuesMax} values`);
  if (values.filter((each) => asObject(each)?.['primary'] === true).length > 1)
    throw refuse('invalidValue', `${where}: at most one value is the primary one`);
  return values.length === 0 ? undefined : values;
};

const readOne = (attribute: Attribute, value: unknown, where: string): unknown => {
  if (value === null || value === undefined || value === '') return undefined;
  switch (attribute.type) {
    case 'boolean': {
      const text = typeof value === 'string' ? value.toLowerCase() : value;
      if (text === true || text === 'true') return true;
      if (text === false || text === 'false') return false;
      throw refuse('invalidValue', `${where} is true or false`);
    }
    case 'complex': {
      const subs = attribute.subAttributes ?? [];
      if (typeof value === 'string' && named(subs, 'value')) return readOne(attribute, { value }, where);
      const written = asObject(value);
      if (written === undefined) throw refuse('invalidValue', `${where} is an object`);
      const read: Document = {};
      for (const [name, inner] of Object.entries(written)) {
        const sub = named(subs, name);
        if (sub === undefined || (sub.mutability === 'readOnly' && attribute.mutability !== 'readOnly')) continue;
        const found = readOne(sub, inner, `${where}.${sub.name}`);
        if (found !== undefined) read[sub.name] = found;
      }
      return Object.keys(read).length === 0 ? undefined : read;
    }
    default:
      if (typeof value === 'number') return String(value);
      if (typeof value !== 'string') throw refuse('invalidValue', `${where} is text`);
      return value;
  }
};

export const put = (document: Document, { extension, attribute, sub }: Place, value: unknown): void => {
  if (attribute === undefined) return;
  let holder = document;
  if (extension !== undefined) holder = inside(document, extension);
  if (sub !== undefined) holder = inside(holder, attribute.name);
  const name = (sub ?? attribute).name;
  if (value === undefined) delete holder[name];
  else holder[name] = value;
};

export const inside = (holder: Document, name: string): Document => {
  const found = asObject(holder[name]);
  if (found !== undefined) return found;
  const made: Document = {};
  holder[name] = made;
  return made;
};

/** Without what has become empty. Throws where something that has to be there is not. */
export const complete = (kind: ProfileKind, document: Document): Document => {
  const { core } = definitionOf(kind);
  for (const [name, value] of Object.entries(document)) {
    const inner = asObject(value);
    if (inner !== undefined) for (const [each, found] of Object.entries(inner)) if (isEmpty(found)) delete inner[each];
    if (isEmpty(value)) delete document[name];
  }
  for (const { name, required } of core.attributes)
    if (required && (typeof document[name] !== 'string' || document[name].trim() === ''))
      throw refuse('invalidValue', `a ${kind} has a ${name}`);
  const { members: _, ...kept } = document;
  if (JSON.stringify(kept).length > documentBytesMax)
    throw refuse('invalidValue', `a ${kind} has at most ${documentBytesMax} bytes`);
  return document;
};

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
const sameText = (value: unknown, text: string): boolean =>
  typeof value === 'string' && value.toLowerCase() === text.toLowerCase();
