/** JSON pointers (RFC 6901) and references by them (`file#/pointer`). */

export type Json = { readonly [name: string]: unknown };
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const pointerTo = (...names: string[]): string =>
  names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** The member names of a pointer as it stands in a URL fragment, or undefined where it is none. */
export const namesInPointer = (pointer: string): string[] | undefined => {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  try {
    return pointer
      .slice(1)
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    return undefined;
  }
};

/** The member that the names lead to; undefined where there is none. Inherited members are none. */
export const memberAt = (document: unknown, names: readonly string[]): unknown => {
  let at = document;
  for (const name of names) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d{0,8})$/.test(name) ? at[Number(name)] : undefined;
    else at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
};
