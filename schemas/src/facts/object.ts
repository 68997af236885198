/**
 * Relationships of the engineers' own objects, as other systems tell them: who manages employee 42, which department it is in. What
 * follows from them says the published schema.
 */
import { z } from 'zod';
import { ObjectId, ObjectSubject, SchemaName } from '../ids.ts';

export const ObjectRelation = z.strictObject({
  object: ObjectId,
  relation: SchemaName,
  subject: ObjectSubject,
  reason: z.string().min(1).max(2000).optional(),
});
export type ObjectRelation = z.infer<typeof ObjectRelation>;

/** What a source said of a relation and what changed nothing when it came; it counts against what arrives later. */
export const ObjectClaimed = z.strictObject({
  object: ObjectId,
  relation: SchemaName,
  subject: ObjectSubject,
  is: z.enum(['related', 'unrelated']),
});
