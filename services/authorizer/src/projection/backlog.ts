/** Facts that are folded and not yet written, in order, each with the updates it means and the schema it puts in force. */
import type { Fact, LoggedFact, Organisation, RelationshipUpdate, Sequence } from '@postern/schemas';

export type Pending = {
  readonly sequence: Sequence;
  readonly id: string;
  readonly actor: string;
  readonly updates: readonly RelationshipUpdate[];
  /** It changes what endpoints or permissions mean: part of a model that is published whole. */
  readonly publishes: boolean;
  /** The whole schema text, where this fact completed one. */
  readonly schema?: string;
};

export type ReadableFact = LoggedFact & { readonly fact: Fact };
export const isReadable = (entry: LoggedFact): entry is ReadableFact => entry.fact !== undefined;

/** Folds the next fact in. */
export const fold = (organisation: Organisation, entry: ReadableFact): Pending => {
  const { fact, sequence } = entry;
  const updates = organisation.apply(entry);
  const completes = fact.type === 'postern.schema.published.v1' && fact.data.part === fact.data.parts;
  return {
    sequence,
    id: fact.id,
    actor: fact.authid,
    updates,
    publishes: fact.type === 'postern.schema.published.v1' || fact.type === 'postern.routes.published.v1',
    ...(completes && organisation.schema !== undefined && { schema: organisation.schema }),
  };
};

/** Who a written batch is to be attributed to in the engine's transaction metadata. */
export const actorOf = (batch: readonly Pending[]): string => {
  const actors = new Set(batch.map(({ actor }) => actor));
  const [only] = actors;
  return actors.size === 1 && only !== undefined ? only : `${actors.size} actors`;
};
