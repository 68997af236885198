/** Access taken at once in an emergency, by whom the role allows it to; it stays listed until somebody else has reviewed it. */
import { z } from 'zod';
import { BreakGlassId, GrantId, PrincipalId, RoleName } from '../ids.ts';

const what = { use: BreakGlassId, subject: PrincipalId, role: RoleName };
const reason = z.string().min(1).max(2000);

export const BreakGlassOpened = z.strictObject({
  ...what,
  grant: GrantId,
  /** As whom the role allows it: `role:on-call`. */
  as: z.string().min(1),
  until: z.iso.datetime({ offset: true }),
  reason,
  ticket: z.string().min(1).max(200).optional(),
});
/** Given back early, revoked, or run out. */
export const BreakGlassClosed = z.strictObject({
  ...what,
  because: z.enum(['given-back', 'revoked', 'ran-out']),
  reason: reason.optional(),
});
export const BreakGlassReviewed = z.strictObject({
  ...what,
  by: PrincipalId,
  as: z.string().min(1),
  verdict: z.enum(['justified', 'unjustified']),
  reason,
});
