/** `$ref`s of an OpenAPI description, within a document and from one file to another. Networks are never asked. */
import { isObject, type Json, memberAt, namesInPointer, pointerTo } from './json-pointer.ts';

/** A place in one of the files. */
export type Place = { readonly file: string; readonly pointer: string };
/** A member with the place where it really stands, behind its references. */
export type Found = { readonly value: Json; readonly place: Place };
/** What went wrong, and the place of the `$ref` at fault. */
export type Lost = { readonly why: string; readonly place: Place };

/** A document by its `file:` URL, parsed; or why it cannot be had, and where in it. */
export type OpenDocument = (
  file: string,
) => { readonly value: unknown } | { readonly why: string; readonly line?: number };

/** The entry's place where a description is given as one value and has no file. */
export const nowhere = 'file:///';

const refsMax = 50;

/** Follows `$ref`s from a member to what they mean. What stands beside a `$ref` is kept and wins (OpenAPI 3.0 leaves it open for path items). */
export const follow = (open: OpenDocument, value: unknown, place: Place): Found | Lost => {
  let at: Found | Lost = isObject(value) ? { value, place } : { why: 'has to be an object', place };
  let beside: Json = {};
  const passed = new Set<string>();
  while (!('why' in at) && at.value['$ref'] !== undefined) {
    const { $ref: ref, ...siblings } = at.value as Json & { $ref: unknown };
    beside = { ...siblings, ...beside };
    const from = { file: at.place.file, pointer: `${at.place.pointer}${pointerTo('$ref')}` };
    const next = step(open, ref, from);
    if ('why' in next) return next;
    const key = `${next.place.file}#${next.place.pointer}`;
    if (passed.has(key) || passed.size >= refsMax) return { why: `${ref} leads back to itself`, place: from };
    passed.add(key);
    at = next;
  }
  return 'why' in at ? at : { ...at, value: { ...at.value, ...beside } };
};

const step = (open: OpenDocument, ref: unknown, from: Place): Found | Lost => {
  const lost = (why: string): Lost => ({ why, place: from });
  if (typeof ref !== 'string') return lost('$ref has to be text');
  const url = URL.canParse(ref, from.file) ? new URL(ref, from.file) : undefined;
  if (url === undefined) return lost(`${ref} is no reference`);
  if (url.protocol !== 'file:' || url.host !== '')
    return lost(`${ref} lies on a network, and descriptions are read from files only`);
  const names = namesInPointer(url.hash.slice(1));
  if (names === undefined) return lost(`${ref} holds no JSON pointer behind its #`);
  url.hash = '';
  url.search = '';
  const opened = open(url.href);
  if ('why' in opened) return lost(`${ref} leads to a file that cannot be read: ${opened.why}`);
  const value = memberAt(opened.value, names);
  const place = { file: url.href, pointer: pointerTo(...names) };
  if (value === undefined) return lost(`${ref} leads nowhere`);
  return isObject(value) ? { value, place } : lost(`${ref} leads to something that is no object`);
};
