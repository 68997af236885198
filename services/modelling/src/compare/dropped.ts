/** Live relationships that a schema has no place for: after it is published, nothing could write or find them again. */
import type { Relationship } from '@postern/schemas';
import { relationshipKey } from '@postern/schemas';
import type { ZedSchema } from '@postern/schemas/zed';
import { unknownRelationship } from '../assertions/stage.ts';
import type { Finding } from '../report/finding.ts';

const namedMax = 10;

export const droppedRelationships = (
  live: Iterable<Relationship>,
  schema: ZedSchema,
  place: { readonly file: string; readonly line: number },
): Finding[] => {
  const dropped = new Map<string, { why: string; keys: string[] }>();
  for (const relationship of live) {
    const unknown = unknownRelationship(relationship, schema);
    if (unknown === undefined) continue;
    const found = dropped.get(unknown.what) ?? { why: unknown.what, keys: [] };
    found.keys.push(relationshipKey(relationship));
    dropped.set(unknown.what, found);
  }
  return [...dropped.values()].map(({ why, keys }) => {
    const more = keys.length > namedMax ? `, and ${keys.length - namedMax} more` : '';
    return {
      rule: 'change/drops-relationships',
      level: 'error',
      ...place,
      what: `${why}, and ${keys.length === 1 ? 'one live relationship stands' : `${keys.length} live relationships stand`} there: ${keys.slice(0, namedMax).join(', ')}${more}`,
      fix: 'keep the relation until these are gone (let new ones be written elsewhere first), then remove it',
    };
  });
};
