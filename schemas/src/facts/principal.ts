/** Joiner, mover, leaver: what HR and identity systems say of people and machines. */
import { z } from 'zod';
import { PrincipalId } from '../ids.ts';

/**
 * What roles and rules may look at. Nothing here names a person: names and addresses never enter a leaf of the record.
 * `manager` is a principal id; the others are the organisation's own codes.
 */
export const Attributes = z.strictObject({
  department: z.string().min(1).max(200).optional(),
  title: z.string().min(1).max(200).optional(),
  location: z.string().min(1).max(200).optional(),
  costCenter: z.string().min(1).max(200).optional(),
  employmentType: z.string().min(1).max(200).optional(),
  manager: PrincipalId.optional(),
});
export type Attributes = z.infer<typeof Attributes>;

const reason = z.string().min(1).max(2000).optional();

export const PrincipalJoined = z.strictObject({ principal: PrincipalId, attributes: Attributes, reason });
export const PrincipalMoved = z.strictObject({ principal: PrincipalId, before: Attributes, after: Attributes, reason });
export const PrincipalLeft = z.strictObject({ principal: PrincipalId, reason });
/** Refuses tokens issued before `before` (RFC 3339). */
export const SessionRevoked = z.strictObject({
  principal: PrincipalId,
  before: z.iso.datetime({ offset: true }),
  reason,
});
