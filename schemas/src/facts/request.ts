/** A role is asked for, approved or not. Reasons and tickets are text that people write: commitments in the log (privacy/sealed-members.ts). */
import { z } from 'zod';
import { GrantId, PrincipalId, RequestId, RoleName } from '../ids.ts';
import { Duration } from './role.ts';

const Instant = z.iso.datetime({ offset: true });
const what = { request: RequestId, subject: PrincipalId, role: RoleName };
const reason = z.string().min(1).max(2000);

export const GrantRequested = z.strictObject({
  ...what,
  requester: PrincipalId,
  /** From the approval on. */
  duration: Duration,
  reason,
  ticket: z.string().min(1).max(200).optional(),
  /** The grant that is to last longer. */
  extends: GrantId.optional(),
  /** Unanswered until then, the request ends. */
  answerBy: Instant,
});
/** One person's yes, and as what: the approver of the rule that they are. The last one needed stands in one append with the grant. */
export const GrantApproved = z.strictObject({
  ...what,
  by: PrincipalId,
  as: z.string().min(1),
  reason: reason.optional(),
});
export const GrantDenied = z.strictObject({ ...what, by: PrincipalId, as: z.string().min(1), reason });
/** Taken back by whoever asked, or whom it was for. */
export const GrantWithdrawn = z.strictObject({ ...what, reason: reason.optional() });
export const GrantUnanswered = z.strictObject({ ...what, answerBy: Instant });
