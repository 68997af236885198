/** A grant binds a subject to a role, under conditions; its id is the id of the fact that issued it. */
import { z } from 'zod';
import { Conditions } from '../conditions.ts';
import { GrantId, RoleName, SubjectId } from '../ids.ts';

const why = { reason: z.string().min(1).max(2000), ticket: z.string().min(1).max(200).optional() };

export const GrantIssued = z.strictObject({
  grant: GrantId,
  subject: SubjectId,
  role: RoleName,
  conditions: Conditions.optional(),
  /** `birthright` grants follow attributes and are taken back by them; `key` grants are a credential's own scopes. */
  origin: z.enum(['direct', 'birthright', 'key']),
  ...why,
});
export const GrantRevoked = z.strictObject({ grant: GrantId, subject: SubjectId, role: RoleName, ...why });
/** Cleans up behind a grant whose `until` has passed; the condition itself refused from that instant on. */
export const GrantExpired = z.strictObject({
  grant: GrantId,
  subject: SubjectId,
  role: RoleName,
  until: z.iso.datetime({ offset: true }),
});
