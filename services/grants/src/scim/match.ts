/** Does a resource meet a filter? By the schema: whether case counts, and what is a date. */
import type { ProfileKind } from '@postern/profiles';
import { type Attribute, named } from './definitions.ts';
import { refuse } from './failures.ts';
import type { Comparison, Filter } from './filter.ts';
import { asObject, placeOf, valuesAt } from './paths.ts';

type Resource = Readonly<Record<string, unknown>>;
export type Test = (resource: Resource) => boolean;

/** Throws `grants/scim-invalid` (invalidFilter) where the filter names what no resource of the kind has. */
export const compile = (kind: ProfileKind, filter: Filter): Test =>
  test(filter, (path) => {
    const place = placeOf(kind, path);
    if (place === undefined) throw unknown(path);
    return {
      values: (resource) => valuesAt(resource, place),
      attribute: place.sub ?? place.attribute,
    };
  });

/** A filter on the values of one list: `type eq "work"` of an address. */
export const compileWithin = (attribute: Attribute, filter: Filter): Test =>
  test(filter, (path) => {
    const sub = named(attribute.subAttributes ?? [], path);
    if (sub === undefined && path.toLowerCase() !== 'value') throw unknown(`${attribute.name}.${path}`);
    return {
      values: (value) => {
        const found = sub === undefined ? value : asObject(value)?.[sub.name];
        return found === undefined ? [] : [found];
      },
      attribute: sub,
    };
  });

type Resolve = (path: string) => {
  readonly values: (resource: Resource) => readonly unknown[];
  readonly attribute: Attribute | undefined;
};

const test = (filter: Filter, resolve: Resolve): Test => {
  switch (filter.op) {
    case 'and': {
      const tests = filter.filters.map((each) => test(each, resolve));
      return (resource) => tests.every((each) => each(resource));
    }
    case 'or': {
      const tests = filter.filters.map((each) => test(each, resolve));
      return (resource) => tests.some((each) => each(resource));
    }
    case 'not': {
      const inner = test(filter.filter, resolve);
      return (resource) => !inner(resource);
    }
    case 'some': {
      const { values, attribute } = resolve(filter.path);
      if (attribute === undefined) throw unknown(filter.path);
      const inner = compileWithin(attribute, filter.filter);
      return (resource) => values(resource).some((value) => inner(value as Resource));
    }
    case 'pr': {
      const { values } = resolve(filter.path);
      return (resource) => values(resource).some((value) => value !== '' && value !== null);
    }
    default: {
      const { values, attribute } = resolve(filter.path);
      const meets = comparing(filter.op, filter.value, attribute);
      // That there is no value is unequal to every value, and equal to null.
      const without = filter.op === 'eq' ? filter.value === null : filter.op === 'ne' && filter.value !== null;
      return (resource) => {
        const found = values(resource);
        return found.length === 0 ? without : found.some(meets);
      };
    }
  }
};

const comparing = (
  op: Comparison,
  wanted: string | number | boolean | null,
  whole: Attribute | undefined,
): ((value: unknown) => boolean) => {
  // Of a complex value its `value` is compared: `emails co "@home"`.
  const isComplex = whole?.type === 'complex';
  const attribute = isComplex ? named(whole.subAttributes ?? [], 'value') : whole;
  const isText = attribute === undefined || attribute.type === 'string' || attribute.type === 'reference';
  const fold = (value: unknown): unknown =>
    typeof value !== 'string'
      ? value
      : attribute?.type === 'dateTime'
        ? Date.parse(value)
        : attribute?.type === 'boolean'
          ? value.toLowerCase() === 'true'
          : attribute?.caseExact === true
            ? value
            : value.toLowerCase();
  const right = fold(wanted);
  if (attribute?.type === 'boolean' && op !== 'eq' && op !== 'ne')
    throw refuse('invalidFilter', `${attribute.name} is true or false: only eq and ne can be asked of it`);
  return (value) => {
    const plain = isComplex ? asObject(value)?.['value'] : value;
    const left = fold(plain);
    switch (op) {
      case 'eq':
        return left === right;
      case 'ne':
        return left !== right;
      case 'co':
        return isText && typeof left === 'string' && typeof right === 'string' && left.includes(right);
      case 'sw':
        return typeof left === 'string' && typeof right === 'string' && left.startsWith(right);
      case 'ew':
        return typeof left === 'string' && typeof right === 'string' && left.endsWith(right);
      default:
        return ordered(op, left, right);
    }
  };
};

const ordered = (op: 'gt' | 'ge' | 'lt' | 'le', left: unknown, right: unknown): boolean => {
  const comparable =
    (typeof left === 'string' && typeof right === 'string') || (typeof left === 'number' && typeof right === 'number');
  if (!comparable) return false;
  switch (op) {
    case 'gt':
      return left > right;
    case 'ge':
      return left >= right;
    case 'lt':
      return left < right;
    case 'le':
      return left <= right;
  }
};

const unknown = (path: string) => refuse('invalidFilter', `the filter names ${path}, which no such resource has`);
