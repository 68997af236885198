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

/** Attributes as a mover's event names them; `null` takes one away. */
export const AttributeChanges = z.strictObject({
  department: Attributes.shape.department.nullable(),
  title: Attributes.shape.title.nullable(),
  location: Attributes.shape.location.nullable(),
  costCenter: Attributes.shape.costCenter.nullable(),
  employmentType: Attributes.shape.employmentType.nullable(),
  manager: Attributes.shape.manager.nullable(),
});
export type AttributeChanges = z.infer<typeof AttributeChanges>;

/** What a source says happened to a principal, whatever else is known of them. */
export const Claim = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('joined'), attributes: Attributes }),
  z.strictObject({ kind: z.literal('moved'), attributes: AttributeChanges }),
  z.strictObject({ kind: z.literal('left') }),
]);
export type Claim = z.infer<typeof Claim>;

const reason = z.string().min(1).max(2000).optional();
/** What the source said, where that is not all that the fact says. */
const claim = Claim.optional();

export const PrincipalJoined = z.strictObject({ principal: PrincipalId, attributes: Attributes, claim, reason });
export const PrincipalMoved = z.strictObject({
  principal: PrincipalId,
  before: Attributes,
  after: Attributes,
  claim,
  reason,
});
export const PrincipalLeft = z.strictObject({ principal: PrincipalId, claim, reason });
/** Refuses tokens issued before `before` (RFC 3339). */
export const SessionRevoked = z.strictObject({
  principal: PrincipalId,
  before: z.iso.datetime({ offset: true }),
  /** Addresses that meant the principal have changed hands: those of the accounts file with this digest (SHA-256, base64url) mean nobody. */
  addressesOf: z.string().length(43).optional(),
  reason,
});
