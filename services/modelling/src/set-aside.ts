/**
 * What the live schema does not know of a log's object relationships: the authorizer sets it aside and goes on, and so does the bench.
 * The engine has the last word on what it takes, so it is asked by writing, halves at a time.
 */
import type { Relationships } from '@postern/relationships';
import { gateTypes, isProblem, type RelationshipUpdate } from '@postern/schemas';

const ofObjects = ({ relationship: { resource } }: RelationshipUpdate): boolean =>
  resource.startsWith('object_permission:') || !gateTypes.has(resource.slice(0, resource.indexOf(':')));

/** The updates that the engine refuses; those that it takes are written by it, to no harm: they are written once more. */
export const refusedUpdates = async (
  engine: Pick<Relationships, 'project' | 'reached'>,
  updates: readonly RelationshipUpdate[],
): Promise<readonly RelationshipUpdate[]> => {
  const { sequence } = await engine.reached();
  const refused = async (some: readonly RelationshipUpdate[]): Promise<readonly RelationshipUpdate[]> => {
    if (some.length === 0) return [];
    try {
      await engine.project({ from: sequence, to: sequence, updates: some, facts: [], actor: 'modelling' });
      return [];
    } catch (error) {
      if (!isProblem(error, 'authorizer/relationship-refused')) throw error;
      if (some.length === 1) return some;
      const half = Math.ceil(some.length / 2);
      return [...(await refused(some.slice(0, half))), ...(await refused(some.slice(half)))];
    }
  };
  return refused(updates.filter(ofObjects));
};
