/** What is held through a role and was called by nobody who holds it. */
import { type EndpointId, type Organisation, opensEndpoint } from '@postern/schemas';
import type { Subject } from '../preview/use.ts';

export type Unused = {
  readonly role: string;
  readonly holders: number;
  readonly endpoints: readonly EndpointId[];
  /** How many endpoints the role opens. */
  readonly of: number;
};

export const unusedOf = (
  organisation: Organisation,
  used: readonly { readonly subjects: readonly Subject[]; readonly endpoint: EndpointId }[],
): Unused[] => {
  const callers = new Map<EndpointId, Set<string>>();
  for (const { subjects, endpoint } of used) {
    const known = callers.get(endpoint) ?? new Set();
    for (const subject of subjects) known.add(subject);
    callers.set(endpoint, known);
  }
  const holders = new Map<string, Set<string>>();
  for (const { role, subject } of organisation.grants.values()) {
    const held = holders.get(role) ?? new Set();
    holders.set(role, held);
    const group = /^(group:.*)#member$/.exec(subject)?.[1];
    if (group === undefined) held.add(subject);
    else for (const member of organisation.groups.inside(group as never)) held.add(member);
  }
  const unused: Unused[] = [];
  for (const [role, { allows }] of organisation.roles) {
    const held = holders.get(role);
    if (held === undefined || held.size === 0 || role.startsWith('postern-')) continue;
    const opened = [...organisation.services].flatMap(([name, { endpoints }]) =>
      endpoints.flatMap((endpoint) =>
        allows.some((each) => opensEndpoint(each, name, endpoint)) ? [endpoint.id] : [],
      ),
    );
    const endpoints = opened.filter((endpoint) => {
      const by = callers.get(endpoint);
      return by === undefined || ![...by].some((caller) => held.has(caller));
    });
    if (endpoints.length > 0) unused.push({ role, holders: held.size, endpoints, of: opened.length });
  }
  return unused.sort((a, b) => b.endpoints.length - a.endpoints.length || a.role.localeCompare(b.role));
};
