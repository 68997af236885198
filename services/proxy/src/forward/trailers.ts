/** Fields that come after a body (RFC 9110 §6.5): passed on to whoever said that they take them, but for those that must not trail. */

/** What frames, routes, authenticates or steers a message, or says how its content is to be read, has to stand before it. */
const neverTrailing = new Set([
  'age',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'host',
  'keep-alive',
  'location',
  'proxy-authenticate',
  'proxy-authorization',
  'retry-after',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'warning',
  'www-authenticate',
]);

/** What may trail. `raw`, and what is left of it: name and value by turns. */
export const trailingFields = (raw: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]];
    const lower = name.toLowerCase();
    if (!neverTrailing.has(lower) && !lower.startsWith('postern-')) kept.push(name, value);
  }
  return kept;
};

/** The same as node takes them: each name once. Undefined where nothing is left. */
export const trailersOf = (raw: readonly string[]): Record<string, string> | undefined => {
  const fields = trailingFields(raw);
  if (fields.length === 0) return undefined;
  const kept = new Map<string, { readonly name: string; value: string }>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name = '', value = ''] = [fields[at], fields[at + 1]];
    const before = kept.get(name.toLowerCase());
    if (before === undefined) kept.set(name.toLowerCase(), { name, value });
    else before.value += `, ${value}`;
  }
  return Object.fromEntries([...kept.values()].map(({ name, value }) => [name, value]));
};
