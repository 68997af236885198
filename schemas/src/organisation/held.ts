/** What an engine holds, and what has to be written so that it holds something else. */
import { type Relationship, type RelationshipUpdate, relationshipKey, relationshipText } from '../relationship.ts';

/** The updates from one set of relationships to another; what is the same in both is not written again. */
export const updatesBetween = (held: Iterable<Relationship>, wanted: Iterable<Relationship>): RelationshipUpdate[] => {
  const left = new Map<string, Relationship>();
  for (const relationship of held) left.set(relationshipKey(relationship), relationship);
  const updates: RelationshipUpdate[] = [];
  for (const relationship of wanted) {
    const key = relationshipKey(relationship);
    const before = left.get(key);
    left.delete(key);
    if (before === undefined || relationshipText(before) !== relationshipText(relationship))
      updates.push({ operation: 'touch', relationship });
  }
  for (const relationship of left.values()) updates.push({ operation: 'delete', relationship });
  return updates;
};

/** One text for a set of relationships, whatever their order: two sets are the same where these are. */
export const relationshipsText = (relationships: Iterable<Relationship>): string => {
  const lines: string[] = [];
  for (const relationship of relationships) lines.push(relationshipText(relationship));
  return lines
    .sort()
    .map((line) => `${line}\n`)
    .join('');
};
