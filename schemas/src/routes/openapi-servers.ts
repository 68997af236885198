/** The path that `servers` puts before every template: of the operation, else of its path item, else of the document. */
import { isObject, type Json } from './json-pointer.ts';

export type Prefix =
  | { readonly outcome: 'read'; readonly prefix: string; readonly note?: string }
  | { readonly outcome: 'refused'; readonly why: string };

/** `levels` from the innermost outwards; the first that has servers counts. Several servers have to agree on the path, else the first counts and that is noted. */
export const serverPrefix = (levels: readonly Json[]): Prefix => {
  const holder = levels.find(
    ({ servers }) => servers !== undefined && !(Array.isArray(servers) && servers.length === 0),
  );
  if (holder === undefined) return { outcome: 'read', prefix: '' };
  const servers = holder['servers'];
  if (!Array.isArray(servers)) return { outcome: 'refused', why: 'servers has to be a list' };
  const prefixes: string[] = [];
  for (const server of servers) {
    const read = pathOf(server);
    if ('why' in read) return { outcome: 'refused', why: read.why };
    prefixes.push(read.path);
  }
  const [first = ''] = prefixes;
  const others = [...new Set(prefixes)].filter((prefix) => prefix !== first);
  return {
    outcome: 'read',
    prefix: first,
    ...(others.length > 0 && {
      note: `servers begin with different paths: "${first || '/'}" counts, not ${others.map((other) => `"${other || '/'}"`).join(', ')}`,
    }),
  };
};

const pathOf = (server: unknown): { readonly path: string } | { readonly why: string } => {
  const url = isObject(server) ? server['url'] : undefined;
  if (!isObject(server) || typeof url !== 'string') return { why: 'a server has to have a url' };
  const variables = isObject(server['variables']) ? server['variables'] : {};
  let missing: string | undefined;
  const filled = url.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const value = isObject(variable) ? variable['default'] : undefined;
    if (typeof value === 'string') return value;
    missing ??= name;
    return whole;
  });
  if (missing !== undefined) return { why: `the server ${url} asks for {${missing}}, which has no default` };
  // An absolute URL's path, or the relative one as it stands; "./v1" and "v1" are below where the document was, which is not known.
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.test(filled)
    ? filled.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
    : filled.startsWith('/') && !filled.startsWith('//')
      ? filled
      : undefined;
  if (path === undefined) return { why: `the server ${url} says no whole path: begin it with a scheme or a slash` };
  if (/[?#]/.test(path)) return { why: `the server ${url} holds a query or a fragment` };
  if (/[{}]/.test(path)) return { why: `the server ${url} holds a brace` };
  return { path: path.replace(/\/+$/, '') };
};
