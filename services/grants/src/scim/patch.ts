/** PATCH (RFC 7644 §3.5.2), in the dialects that are spoken: what an operation aims at, and what it makes of a document. */
import { isDeepStrictEqual } from 'node:util';
import type { ProfileKind } from '@postern/profiles';
import { named } from './definitions.ts';
import { refuse } from './failures.ts';
import { type Filter, parseFilter } from './filter.ts';
import { compileWithin, type Test } from './match.ts';
import { asObject, type Place, placeOf } from './paths.ts';
import { complete, type Document, entriesOf, inside, isReadOnly, put, readAt } from './read.ts';

export type Target = Place & { readonly filter?: Filter; readonly text: string };
export type Operation = {
  readonly op: 'add' | 'replace' | 'remove';
  readonly target: Target;
  readonly value: unknown;
};

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const operationsMax = 1_000;

/** The operations, each with a target: one without a path is one for each of its value's members. Throws `grants/scim-invalid`. */
export const readPatch = (kind: ProfileKind, body: unknown): Operation[] => {
  const written = Object.fromEntries(
    Object.entries(asObject(body) ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  if (!Array.isArray(written['schemas']) || !written['schemas'].includes(patchUrn))
    throw refuse('invalidSyntax', `schemas does not name ${patchUrn}`);
  const operations = written['operations'];
  if (!Array.isArray(operations) || operations.length === 0) throw refuse('invalidSyntax', 'Operations is a list');
  if (operations.length > operationsMax)
    throw refuse('tooMany', `at most ${operationsMax} operations are taken at once`);
  return operations.flatMap((each: unknown) => readOperation(kind, each));
};

const readOperation = (kind: ProfileKind, written: unknown): Operation[] => {
  const { op: asWritten, path, value } = asObject(written) ?? {};
  const op = typeof asWritten === 'string' ? asWritten.toLowerCase() : undefined;
  if (op !== 'add' && op !== 'replace' && op !== 'remove')
    throw refuse('invalidSyntax', `an operation is add, replace or remove, not ${String(asWritten)}`);
  if (op !== 'remove' && value === undefined) throw refuse('invalidValue', `${op} has a value`);
  if (path !== undefined && path !== null && path !== '') {
    if (typeof path !== 'string') throw refuse('invalidPath', 'a path is text');
    const target = targetOf(kind, path);
    if (target === undefined) throw refuse('invalidPath', `a ${kind} has no ${path}`);
    if (isReadOnly(target)) throw refuse('mutability', `${path} cannot be written`);
    if (target.attribute !== undefined) return [{ op, target, value }];
    // A whole extension.
    if (op === 'remove') return [{ op, target, value }];
    const inner = asObject(value);
    if (inner === undefined) throw refuse('invalidValue', `${path} is an object`);
    return membersOf(kind, op, { [path]: inner });
  }
  if (op === 'remove') throw refuse('noTarget', 'remove has a path');
  const inner = asObject(value);
  if (inner === undefined) throw refuse('invalidValue', 'without a path the value is an object');
  return membersOf(kind, op, inner);
};

/** What is not defined, or not writable, is passed over here: Okta sends the id along. */
const membersOf = (kind: ProfileKind, op: 'add' | 'replace', written: Document): Operation[] =>
  entriesOf(kind, written).flatMap(([name, value]) => {
    const target = targetOf(kind, name);
    return target?.attribute === undefined || isReadOnly(target) ? [] : [{ op, target, value }];
  });

const targetOf = (kind: ProfileKind, text: string): Target | undefined => {
  const open = text.indexOf('[');
  if (open < 0) {
    const place = placeOf(kind, text.replace(/^\//, ''));
    return place && { ...place, text };
  }
  const close = text.lastIndexOf(']');
  if (close < open) throw refuse('invalidPath', `${text}: a bracket is open`);
  const place = placeOf(kind, text.slice(0, open));
  if (place?.attribute?.multiValued !== true || place.sub !== undefined) return undefined;
  const filter = parseFilter(text.slice(open + 1, close));
  const rest = text.slice(close + 1);
  if (rest === '') return { ...place, filter, text };
  const sub = rest.startsWith('.') ? named(place.attribute.subAttributes ?? [], rest.slice(1)) : undefined;
  return sub && { ...place, sub, filter, text };
};

/** A document with the operations carried out; the one given stays as it is. Members of groups are not in here: see members.ts. */
export const patched = (kind: ProfileKind, document: Document, operations: readonly Operation[]): Document => {
  const after = structuredClone(document);
  for (const operation of operations) apply(after, operation);
  return complete(kind, after);
};

const apply = (document: Document, { op, target, value }: Operation): void => {
  const { extension, attribute, sub } = target;
  if (attribute === undefined) {
    if (extension !== undefined) delete document[extension];
    return;
  }
  if (attribute.multiValued) {
    applyToList(document, { op, target, value });
    return;
  }
  if (op === 'remove') {
    put(document, target, undefined);
    return;
  }
  const read = readAt(target, value);
  const holder = extension === undefined ? document : inside(document, extension);
  const before = asObject(holder[attribute.name]);
  // Sub-attributes that are not named stay; a complex attribute without a value is emptied.
  if (attribute.type === 'complex' && sub === undefined && read !== undefined && before !== undefined)
    Object.assign(before, read);
  else put(document, target, read);
};

const applyToList = (document: Document, { op, target, value }: Operation): void => {
  const { extension, attribute, sub, filter } = target;
  if (attribute === undefined) return;
  const holder = extension === undefined ? document : inside(document, extension);
  const before = (holder[attribute.name] ?? []) as Document[];
  const after = changedList(before, { op, target, value });
  if (after.length === 0) delete holder[attribute.name];
  else holder[attribute.name] = after;
  if (op !== 'remove' && (filter !== undefined || sub !== undefined || op === 'add')) onePrimary(before, after);
};

const changedList = (before: readonly Document[], { op, target, value }: Operation): Document[] => {
  const { attribute, sub, filter } = target;
  if (attribute === undefined) return [...before];
  const meets: Test = filter === undefined ? () => true : compileWithin(attribute, filter);
  if (sub === undefined && filter === undefined) {
    if (op === 'remove' && value === undefined) return [];
    const values = (readAt({ attribute }, value) ?? []) as Document[];
    if (op === 'remove') return before.filter((each) => !values.some((gone) => covers(each, gone)));
    if (op === 'replace') return values;
    return [...before, ...values.filter((each) => !before.some((there) => isDeepStrictEqual(there, each)))];
  }
  if (op === 'remove')
    return before.flatMap((each) => {
      if (!meets(each)) return [each];
      if (sub === undefined) return [];
      const { [sub.name]: _, ...rest } = each;
      return Object.keys(rest).length === 0 ? [] : [rest];
    });
  const given = sub === undefined ? asObject(value) : { [sub.name]: value };
  if (given === undefined) throw refuse('invalidValue', `${target.text} is an object`);
  const [change = {}] = (readAt({ attribute }, [given]) ?? []) as Document[];
  if (before.some(meets))
    return before.map((each) =>
      !meets(each)
        ? each
        : sub !== undefined && change[sub.name] === undefined
          ? Object.fromEntries(Object.entries(each).filter(([name]) => name !== sub.name))
          : { ...each, ...change },
    );
  // Nothing is there yet: what the filter asks for is made, as Entra ID expects of `emails[type eq "work"].value`.
  const asked = filter === undefined ? {} : wished(filter, target);
  if (asked === undefined) throw refuse('noTarget', `${target.text} meets no value`);
  return [...before, ...(Object.keys(change).length === 0 ? [] : [{ ...asked, ...change }])];
};

/** The value that a filter describes, where it does nothing but say what is equal to what. */
const wished = (filter: Filter, { attribute }: Target): Document | undefined => {
  if (filter.op === 'eq') {
    const sub = named(attribute?.subAttributes ?? [], filter.path);
    return sub === undefined || attribute === undefined
      ? undefined
      : { [sub.name]: readAt({ attribute, sub }, filter.value) };
  }
  if (filter.op !== 'and') return undefined;
  const parts = filter.filters.map((each) => wished(each, { attribute } as Target));
  return parts.some((part) => part === undefined) ? undefined : Object.assign({}, ...parts);
};

/** Whoever becomes the primary value takes that from the others (RFC 7644 §3.5.2). */
const onePrimary = (before: readonly Document[], after: Document[]): void => {
  const primary = after.filter((each) => each['primary'] === true);
  if (primary.length < 2) return;
  const wasBefore = before.filter((each) => each['primary'] === true);
  const now = primary.findLast((each) => !wasBefore.includes(each)) ?? primary.at(-1);
  for (const [index, each] of after.entries())
    if (each !== now && each['primary'] === true) after[index] = { ...each, primary: false };
};

/** Is `value` meant by what somebody named of it? By its `value` where that is named, else by all that is. */
const covers = (value: Document, named: Document): boolean =>
  named['value'] !== undefined
    ? value['value'] === named['value']
    : Object.entries(named).every(([name, each]) => isDeepStrictEqual(value[name], each));
