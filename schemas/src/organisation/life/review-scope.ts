/** Which live grants a campaign is about. A key's own scopes are none of it: a key does nothing that its owner may not. */
import type { ReviewScope } from '../../facts/review.ts';
import type { PrincipalId } from '../../ids.ts';
import type { Grant, Standing } from '../standing.ts';

/** All that the scope names but `unusedFor`: how long something was not used is for the record to say. */
export function* grantsInScope(organisation: Standing, scope: ReviewScope): Generator<Grant> {
  for (const grant of organisation.grants.values()) if (isInScope(organisation, grant, scope)) yield grant;
}

const isInScope = (organisation: Standing, grant: Grant, { manager, role, service, movers }: ReviewScope): boolean => {
  if (grant.origin === 'key' || (role !== undefined && grant.role !== role)) return false;
  const holder = organisation.principals.get(grant.subject as unknown as PrincipalId);
  if (manager !== undefined && holder?.attributes.manager !== manager) return false;
  if (service !== undefined && !reachesService(organisation, grant, service)) return false;
  return movers !== true || isBroughtAlong(organisation, grant);
};

const reachesService = ({ roles }: Standing, { role }: Grant, service: string): boolean =>
  (roles.get(role)?.allows ?? []).some((allowance) =>
    'service' in allowance
      ? allowance.service === service
      : 'endpoint' in allowance && allowance.endpoint.startsWith(`${service}/`),
  );

/** Held by somebody from before they moved, not by birthright, and nobody has looked at it since. */
export const isBroughtAlong = (organisation: Standing, { id, subject, origin, issuedAt }: Grant): boolean => {
  const holder = organisation.principals.get(subject as unknown as PrincipalId);
  if (holder === undefined || origin === 'birthright' || issuedAt >= holder.since) return false;
  return (organisation.life.reviews.lookedAt(id) ?? 0) < holder.since;
};
