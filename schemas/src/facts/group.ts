/** Groups nest here; the projection writes their closure, so the graph itself never nests. */
import { z } from 'zod';
import { GroupId, PrincipalId } from '../ids.ts';

export const Member = z.union([PrincipalId, GroupId]);
export type Member = z.infer<typeof Member>;
const reason = z.string().min(1).max(2000).optional();

export const GroupChanged = z.strictObject({ group: GroupId, add: z.array(Member), remove: z.array(Member), reason });
/**
 * What a source said of memberships, or that the group was deleted, and what changed nothing when it came: something newer stands, or the
 * member is not here yet. It counts all the same against what arrives later.
 */
export const GroupClaimed = z.strictObject({
  group: GroupId,
  add: z.array(Member),
  remove: z.array(Member),
  deleted: z.literal(true).optional(),
});
export const GroupDeleted = z.strictObject({ group: GroupId, reason });
