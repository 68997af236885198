/** A campaign: grants as they stood at one sequence, each kept, shortened or taken back by somebody who is not its holder. */
import { z } from 'zod';
import { GrantId, PrincipalId, ReviewId, RoleName, ServiceName, SubjectId } from '../ids.ts';
import { Duration } from './role.ts';

const Instant = z.iso.datetime({ offset: true });
const reason = z.string().min(1).max(2000);

/** Which grants; what is named together must hold together, and nothing named is every grant. */
export const ReviewScope = z.strictObject({
  /** Of the people whose manager this is. */
  manager: PrincipalId.optional(),
  role: RoleName.optional(),
  /** Of roles that open something of this service. */
  service: ServiceName.optional(),
  /** That nobody has used for so long, as the record says at the opening. */
  unusedFor: Duration.optional(),
  /** That somebody brought along from before they moved. */
  movers: z.literal(true).optional(),
});
export type ReviewScope = z.infer<typeof ReviewScope>;

/** `manager` (of the holder), `owner` (of the role), `role:NAME`, `user:NAME`. */
export const Reviewer = z
  .string()
  .regex(/^(manager|owner|(user|role):\S{1,512})$/, 'write manager, owner, role:NAME or user:NAME');

export const ReviewOpened = z.strictObject({
  review: ReviewId,
  title: z.string().min(1).max(200),
  scope: ReviewScope,
  /** What is reviewed is what was live at this sequence. */
  frozenAt: z.number().int().nonnegative(),
  reviewer: Reviewer,
  /** Who decides where there is no such reviewer, and from `escalates` on. */
  escalateTo: z.string().regex(/^(user|role):\S{1,512}$/, 'write user:NAME or role:NAME'),
  reminds: Instant,
  escalates: Instant,
  /** At the latest then it is closed. */
  due: Instant,
  /** What becomes of what nobody has decided by then. */
  undecided: z.enum(['keep', 'revoke']),
  /** How many grants it is about; where `listed`, `review.listed` facts of the same append name them. */
  items: z.number().int().positive(),
  listed: z.literal(true).optional(),
});
export const ReviewListed = z.strictObject({ review: ReviewId, grants: z.array(GrantId).min(1) });
export const ReviewDecided = z.strictObject({
  review: ReviewId,
  grant: GrantId,
  subject: SubjectId,
  role: RoleName,
  decision: z.enum(['keep', 'revoke', 'shorten']),
  /** Whoever decided, or `policy`: the campaign was closed over it. */
  by: z.union([PrincipalId, z.literal('policy')]),
  as: z.string().min(1),
  until: Instant.optional(),
  reason,
});
export const ReviewReminded = z.strictObject({
  review: ReviewId,
  reviewer: z.string(),
  open: z.number().int().positive(),
});
export const ReviewEscalated = z.strictObject({ review: ReviewId, to: z.string(), open: z.number().int().positive() });
export const ReviewClosed = z.strictObject({
  review: ReviewId,
  kept: z.number().int().nonnegative(),
  revoked: z.number().int().nonnegative(),
  shortened: z.number().int().nonnegative(),
  /** Their grants had ended before anybody decided. */
  gone: z.number().int().nonnegative(),
});
