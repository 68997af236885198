/**
 * After a restart over an engine that kept its relationships: what it holds must be what the facts up to its checkpoint mean. A
 * crash between the parts of one large write leaves more or less than that, and so does a hand in the engine's database.
 */
import { createHash } from 'node:crypto';
import type { Relationships } from '@postern/relationships';
import {
  type Organisation,
  type Relationship,
  type RelationshipUpdate,
  relationshipKey,
  relationshipText,
} from '@postern/schemas';

/**
 * The types that facts alone write. Of objects of the engineers' own types only what facts say is the projection's to judge: whatever
 * else stands there, somebody wrote into the engine by themselves, under a caveat of theirs perhaps.
 */
const projected = new Set(['group', 'credential', 'role', 'service', 'endpoint', 'object_permission']);
const isProjected = ({ resource }: Relationship): boolean => projected.has(resource.slice(0, resource.indexOf(':')));

/** The updates that make the engine what the organisation means; none where it is that already. */
export const differences = async (engine: Relationships, organisation: Organisation): Promise<RelationshipUpdate[]> => {
  const wanted = new Map<string, Relationship>();
  for (const relationship of organisation.relationships()) wanted.set(relationshipKey(relationship), relationship);
  const updates: RelationshipUpdate[] = [];
  for await (const found of engine.read()) {
    const expected = wanted.get(relationshipKey(found));
    wanted.delete(relationshipKey(found));
    if (expected === undefined && !isProjected(found)) continue;
    if (expected === undefined) updates.push({ operation: 'delete', relationship: found });
    else if (relationshipText(expected) !== relationshipText(found))
      updates.push({ operation: 'touch', relationship: expected });
  }
  for (const missing of wanted.values()) updates.push({ operation: 'touch', relationship: missing });
  return updates;
};

export type Reconciled = { readonly outcome: 'as-written' | 'repaired' | 'moved-on'; readonly updates: number };

/** Compares at the checkpoint and mends what differs; `moved-on` where another projector has written in between. */
export const reconcile = async (
  engine: Relationships,
  organisation: Organisation,
  mend: (updates: readonly RelationshipUpdate[]) => Promise<'written' | 'lost'>,
): Promise<Reconciled> => {
  const updates = await differences(engine, organisation);
  if (updates.length === 0) return { outcome: 'as-written', updates: 0 };
  const outcome = await mend(updates);
  return { outcome: outcome === 'written' ? 'repaired' : 'moved-on', updates: updates.length };
};

/** SHA-256 over the sorted texts, hex: two graphs with one digest are one graph. */
export const graphDigest = (relationships: Iterable<Relationship>): string =>
  createHash('sha256').update(Array.from(relationships, relationshipText).sort().join('\n')).digest('hex');
