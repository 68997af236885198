/** A grant binds a subject to a role, under conditions; its id is the id of the fact that issued it. */
import { z } from 'zod';
import { Conditions } from '../conditions.ts';
import { BreakGlassId, GrantId, PrincipalId, RequestId, ReviewId, RoleName, SubjectId } from '../ids.ts';

const why = { reason: z.string().min(1).max(2000), ticket: z.string().min(1).max(200).optional() };

export const GrantIssued = z.strictObject({
  grant: GrantId,
  subject: SubjectId,
  role: RoleName,
  conditions: Conditions.optional(),
  /** `birthright` grants follow attributes and are taken back by them; `key` grants are a credential's own scopes, `break-glass` is an emergency. */
  origin: z.enum(['direct', 'birthright', 'key', 'break-glass']),
  ...why,
  /** The request it answers, and who approved that as what. */
  request: RequestId.optional(),
  approvals: z.array(z.strictObject({ by: PrincipalId, as: z.string() })).optional(),
  breakGlass: BreakGlassId.optional(),
  /** The grant whose place it takes, revoked in the same append. */
  replaces: GrantId.optional(),
});
export const GrantRevoked = z.strictObject({
  grant: GrantId,
  subject: SubjectId,
  role: RoleName,
  ...why,
  /** The campaign that decided it. */
  review: ReviewId.optional(),
});
/** Cleans up behind a grant whose `until` has passed; the condition itself refused from that instant on. */
export const GrantExpired = z.strictObject({
  grant: GrantId,
  subject: SubjectId,
  role: RoleName,
  until: z.iso.datetime({ offset: true }),
});
/**
 * Somebody's attributes give them the role, and they do not get it: it may not be held together with another (and is given once it
 * may), or it was revoked (and is not given again until they move).
 */
export const BirthrightWithheld = z.strictObject({
  principal: PrincipalId,
  role: RoleName,
  because: z.enum(['separation-of-duties', 'revoked']),
  reason: z.string().min(1).max(2000),
});
