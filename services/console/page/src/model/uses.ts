/** How many callers used each endpoint since a moment, and when last: from the record's last uses, a line for each pair. */
import { ask, queryText } from '../api.ts';

export type Uses = ReadonlyMap<string, { readonly callers: number; readonly last: string }>;

export const usesSince = async (since: string): Promise<Uses> => {
  const text = await (await ask(`/audit/last-use${queryText({ since })}`)).text();
  const uses = new Map<string, { callers: Set<string>; last: string }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { subject, endpoint, at } = JSON.parse(line) as { subject: string; endpoint: string; at: string };
    const known = uses.get(endpoint) ?? { callers: new Set<string>(), last: at };
    known.callers.add(subject);
    if (at > known.last) known.last = at;
    uses.set(endpoint, known);
  }
  return new Map([...uses].map(([endpoint, { callers, last }]) => [endpoint, { callers: callers.size, last }]));
};
