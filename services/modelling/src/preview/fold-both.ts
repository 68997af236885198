/** The log as it stands, and as it would stand once the files here were published over it. */
import { type FactDraft, type Relationship, relationshipKey } from '@postern/schemas';
import { parseZed } from '@postern/schemas/zed';
import { unknownRelationship } from '../assertions/stage.ts';
import { type FoldedModel, foldLog, type Model, type ModellingDeps } from '../folded-model.ts';

export type Both = AsyncDisposable & {
  readonly live: FoldedModel;
  readonly here: FoldedModel;
  /** Live relationships for which the schema here has no place; they are left out of `here`. */
  readonly dropped: readonly Relationship[];
  /** Relationships that the live schema does not know either. */
  readonly aside: readonly Relationship[];
};

/** Rejects as {@link foldLog} does; then neither engine is left open. */
export const foldBoth = async (deps: ModellingDeps, facts: readonly FactDraft[], model: Model): Promise<Both> => {
  await using stack = new AsyncDisposableStack();
  const schema = parseZed(model.schema);
  const live = stack.use(await foldLog(deps, facts));
  const aside = live.aside();
  const setAside = new Set(aside.map(relationshipKey));
  const dropped = new Set<Relationship>();
  const keeps = (relationship: Relationship): boolean => {
    const unknown = unknownRelationship(relationship, schema) !== undefined;
    // What the live engine does not hold is not lost by a publication.
    if (unknown && !setAside.has(relationshipKey(relationship))) dropped.add(relationship);
    return !unknown;
  };
  const here = stack.use(await foldLog(deps, facts, { model, keeps }));
  const both = stack.move();
  const left = here.aside().filter((each) => !setAside.has(relationshipKey(each)));
  return { live, here, aside, dropped: [...dropped, ...left], [Symbol.asyncDispose]: () => both.disposeAsync() };
};
