/** Attribute paths as filters, sorting and PATCH name them: without regard to case, with or without the schema's URN before them. */
import type { ProfileKind } from '@postern/profiles';
import { type Attribute, commonAttributes, definitionOf, named } from './definitions.ts';

/** `extension`: the attribute stands below that URN in the resource. Without an attribute the whole extension is meant. */
export type Place = {
  readonly extension?: string;
  readonly attribute?: Attribute;
  readonly sub?: Attribute;
};

/** Clients name the same attributes in every resource. */
const known = new Map<ProfileKind, Map<string, Place | undefined>>();
const knownMax = 1_000;

/** Undefined where there is no such attribute. `urn:…:User:department`, `urn:…:User.department` and `name.familyName` are known. */
export const placeOf = (kind: ProfileKind, path: string): Place | undefined => {
  const ofKind = known.get(kind) ?? new Map<string, Place | undefined>();
  known.set(kind, ofKind);
  if (ofKind.has(path)) return ofKind.get(path);
  const place = findPlace(kind, path);
  if (ofKind.size >= knownMax) ofKind.clear();
  ofKind.set(path, place);
  return place;
};

const findPlace = (kind: ProfileKind, path: string): Place | undefined => {
  const { core, extensions } = definitionOf(kind);
  const lower = path.toLowerCase();
  for (const { urn, attributes } of [core, ...extensions]) {
    const prefix = urn.toLowerCase();
    if (!lower.startsWith(prefix)) continue;
    const extension = urn === core.urn ? {} : { extension: urn };
    if (lower === prefix) return urn === core.urn ? {} : extension;
    if (lower[prefix.length] !== ':' && lower[prefix.length] !== '.') continue;
    const found = below(attributes, path.slice(prefix.length + 1));
    if (found) return { ...extension, ...found };
  }
  return below([...commonAttributes, ...core.attributes], path);
};

const below = (attributes: readonly Attribute[], path: string): Place | undefined => {
  const [first = '', second, ...more] = path.split('.');
  const attribute = named(attributes, first);
  if (attribute === undefined || more.length > 0) return undefined;
  if (second === undefined) return { attribute };
  const sub = named(attribute.subAttributes ?? [], second);
  return sub && { attribute, sub };
};

/** Every value at the place: of lists each one, and of complex values the `value` where no other sub-attribute is asked for. */
export const valuesAt = (
  resource: Readonly<Record<string, unknown>>,
  { extension, attribute, sub }: Place,
): unknown[] => {
  const holder = extension === undefined ? resource : asObject(resource[extension]);
  if (attribute === undefined) return extension === undefined ? [] : [holder].filter((each) => each !== undefined);
  const found = holder?.[attribute.name];
  const all = Array.isArray(found) ? found : found === undefined ? [] : [found];
  if (sub === undefined) return all;
  return all.flatMap((each) => {
    const value = asObject(each)?.[sub.name];
    return value === undefined ? [] : [value];
  });
};

export const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
