/** For tests: an authorizer as it stood at a sequence, everything folded at once and everything written. */
import { judgeOver, questionsOver } from '@postern/authorizer/app';
import type { Relationships } from '@postern/relationships';
import { beginning, gateSchema, type LoggedFact, Organisation, type RelationshipUpdate } from '@postern/schemas';

/** The engine stays the caller's to dispose. */
export const standingAt = async (engine: Relationships, facts: readonly LoggedFact[], sequence: number) => {
  await engine.writeSchema(gateSchema);
  const organisation = new Organisation();
  for (const entry of facts.slice(0, sequence))
    if (entry.fact !== undefined) organisation.apply({ ...entry, fact: entry.fact });
  const updates = [...organisation.relationships()]
    .filter(({ resource }) => !resource.startsWith('employee:'))
    .map((relationship): RelationshipUpdate => ({ operation: 'touch', relationship }));
  const written = await engine.project({
    from: beginning,
    to: organisation.sequence,
    updates,
    facts: [],
    actor: 'test',
  });
  if (written.outcome === 'lost') throw new Error('somebody else writes to the engine of this test');
  const deps = { engine, organisation, reached: () => written.reached };
  return { organisation, questions: questionsOver(deps), judge: judgeOver(deps) };
};

/** A deterministic source of numbers: the same histories in every run. */
export const numbers = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
};
