/** Header and trailer fields between HTTP/1.1's lists of name and value by turns and HTTP/2's objects. */

/** Names in lower case, as HTTP/2 has them; values that came several times in a list. */
export const grouped = (list: readonly string[]): Record<string, string | string[]> => {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of pairs(list)) {
    const key = name.toLowerCase();
    const before = fields[key];
    fields[key] = before === undefined ? value : [...[before].flat(), value];
  }
  return fields;
};

/** Of trailers no name is to come twice: gRPC joins them. */
export const joined = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(grouped(list)).map(([name, value]) => [name, [value].flat().join(', ')]));

const pairs = (list: readonly string[]): [string, string][] => {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) found.push([list[at] ?? '', list[at + 1] ?? '']);
  return found;
};

export const statusIn = (raw: readonly string[]): { readonly status: number; readonly rest: readonly string[] } => {
  const fields = pairs(raw);
  return {
    status: Number(fields.find(([name]) => name === ':status')?.[1] ?? 502),
    rest: fields.filter(([name]) => !name.startsWith(':')).flat(),
  };
};

/** RFC 9110 §6.5.1: nothing that frames, routes or authenticates, and nothing in the gate's name. */
const neverTrailing = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
export const trailersIn = (raw: readonly string[]): string[] =>
  pairs(raw)
    .filter(([name]) => !name.startsWith(':') && !name.startsWith('postern-') && !neverTrailing.has(name))
    .flat();
