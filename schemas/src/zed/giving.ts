/** What gives a permission: everything in its expression but what stands behind a minus. */
import type { ZedDefinition, ZedExpression, ZedLeaf, ZedSchema } from './schema.ts';

export function* givingLeaves(expression: ZedExpression): Generator<ZedLeaf> {
  if (expression.kind === 'name' || expression.kind === 'arrow') yield expression;
  else if (expression.kind === 'chain') {
    // Minus binds loosest: everything behind the first one is taken away.
    const minus = expression.operators.indexOf('-');
    for (const operand of minus < 0 ? expression.operands : expression.operands.slice(0, minus + 1))
      yield* givingLeaves(operand);
  }
}

/** The relations of the type itself that a permission rests on; `department->view` for those over another object. */
export const givingRelations = ({ definitions }: ZedSchema, type: string, permission: string): readonly string[] => {
  const definition = definitions.find(({ name }) => name === type);
  return definition === undefined ? [] : [...new Set(resting(definition, permission, new Set()))];
};

const resting = (definition: ZedDefinition, name: string, seen: Set<string>): string[] => {
  if (seen.has(name)) return [];
  seen.add(name);
  if (definition.relations.some((each) => each.name === name)) return [name];
  const own = definition.permissions.find((each) => each.name === name);
  if (own === undefined) return [];
  return [...givingLeaves(own.expression)].flatMap((leaf) =>
    leaf.kind === 'name' ? resting(definition, leaf.name, seen) : [`${leaf.relation}->${leaf.permission}`],
  );
};
