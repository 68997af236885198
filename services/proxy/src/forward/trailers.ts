/** Fields that come after a body (RFC 9110 §6.5): passed on to whoever said that they take them, but for those that must not trail. */
import { textOf } from './forwarding.ts';

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

/** `raw`: name and value by turns. Undefined where nothing is left. */
export const trailersOf = (raw: unknown): Record<string, string> | undefined => {
  if (!Array.isArray(raw) || raw.length === 0) return undefined;
  const kept = new Map<string, { readonly name: string; value: string }>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at]);
    const lower = name.toLowerCase();
    if (neverTrailing.has(lower) || lower.startsWith('postern-')) continue;
    const before = kept.get(lower);
    if (before === undefined) kept.set(lower, { name, value: textOf(raw[at + 1]) });
    else before.value += `, ${textOf(raw[at + 1])}`;
  }
  return kept.size === 0 ? undefined : Object.fromEntries([...kept.values()].map(({ name, value }) => [name, value]));
};
