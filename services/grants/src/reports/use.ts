/** From what was called to whether a grant was used: a role was used when one of its holders called something that it opens. */
import { type Grant, type Organisation, opensEndpoint, type RoleName, type SubjectId } from '@postern/schemas';
import { peopleBehind } from '../decide/duties.ts';
import type { LastUse } from './record.ts';

/** The endpoints that a role opens now; undefined where it opens objects alone, whose use no endpoint tells. */
export const opened = (organisation: Organisation, role: RoleName): ReadonlySet<string> | undefined => {
  const allows = organisation.roles.get(role)?.allows ?? [];
  const endpoints = new Set<string>();
  for (const { name, endpoints: all } of organisation.services.values())
    for (const endpoint of all)
      if (allows.some((allowance) => opensEndpoint(allowance, name, endpoint))) endpoints.add(endpoint.id);
  return endpoints.size === 0 && allows.some((allowance) => 'object' in allowance) ? undefined : endpoints;
};

export type Uses = {
  /** When the grant was last used: by its holder, or by any member of the group; `unknown` where no endpoint tells. */
  readonly ofGrant: (grant: Pick<Grant, 'subject' | 'role'>) => string | undefined | 'unknown';
  /** Of the role, by whomever: which endpoints, and when last. */
  readonly ofRole: (role: RoleName, holders: Iterable<string>) => ReadonlyMap<string, string>;
  readonly ofKey: (credential: string) => string | undefined;
};

export const usesOf = (organisation: Organisation, lastUses: readonly LastUse[]): Uses => {
  const bySubject = new Map<string, Map<string, string>>();
  const byKey = new Map<string, string>();
  for (const { subject, actor, endpoint, at } of lastUses) {
    const uses = bySubject.get(subject) ?? new Map<string, string>();
    if (at > (uses.get(endpoint) ?? '')) uses.set(endpoint, at);
    bySubject.set(subject, uses);
    if (actor?.startsWith('credential:') && at > (byKey.get(actor) ?? '')) byKey.set(actor, at);
  }
  const openedBy = new Map<RoleName, ReadonlySet<string> | undefined>();
  const endpointsOf = (role: RoleName): ReadonlySet<string> | undefined => {
    if (!openedBy.has(role)) openedBy.set(role, opened(organisation, role));
    return openedBy.get(role);
  };
  return {
    ofGrant: ({ subject, role }) => {
      const endpoints = endpointsOf(role);
      if (endpoints === undefined) return 'unknown';
      let last: string | undefined;
      const holders = subject.startsWith('group:')
        ? peopleBehind(organisation, subject as SubjectId)
        : [subject as string];
      for (const holder of holders)
        for (const [endpoint, at] of bySubject.get(holder) ?? [])
          if (endpoints.has(endpoint) && at > (last ?? '')) last = at;
      return last;
    },
    ofRole: (role, holders) => {
      const endpoints = endpointsOf(role) ?? new Set<string>();
      const used = new Map<string, string>();
      for (const holder of holders)
        for (const [endpoint, at] of bySubject.get(holder) ?? [])
          if (endpoints.has(endpoint) && at > (used.get(endpoint) ?? '')) used.set(endpoint, at);
      return used;
    },
    ofKey: (credential) => byKey.get(credential),
  };
};
