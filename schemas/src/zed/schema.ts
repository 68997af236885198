/** A SpiceDB schema, read: what lint, comparison and coverage look at. Every part knows its line. */

export type ZedAllowed = {
  readonly type: string;
  /** `group#member` */
  readonly relation?: string;
  /** `user:*` */
  readonly wildcard: boolean;
  /** What stands behind `with`. */
  readonly traits: readonly string[];
  readonly line: number;
};

export type ZedOperator = '+' | '&' | '-';

export type ZedExpression =
  | { readonly kind: 'name'; readonly name: string; readonly line: number }
  /** `manager->view`, `manager.any(view)`, `manager.all(view)` */
  | {
      readonly kind: 'arrow';
      readonly relation: string;
      readonly permission: string;
      readonly all: boolean;
      readonly line: number;
    }
  | { readonly kind: 'nil' | 'self'; readonly line: number }
  /** As written between two parentheses: `operators` stand between the operands. */
  | {
      readonly kind: 'chain';
      readonly operands: readonly ZedExpression[];
      readonly operators: readonly ZedOperator[];
      readonly line: number;
    };

export type ZedRelation = { readonly name: string; readonly allows: readonly ZedAllowed[]; readonly line: number };
export type ZedPermission = {
  readonly name: string;
  /** The annotated subject types; undefined where there are none. */
  readonly types: readonly string[] | undefined;
  readonly expression: ZedExpression;
  readonly line: number;
};
export type ZedDefinition = {
  readonly name: string;
  readonly relations: readonly ZedRelation[];
  readonly permissions: readonly ZedPermission[];
  readonly line: number;
};
export type ZedCaveat = { readonly name: string; readonly parameters: readonly string[]; readonly line: number };
export type ZedMistake = { readonly line: number; readonly what: string; readonly fix?: string };

export type ZedSchema = {
  readonly uses: readonly { readonly name: string; readonly line: number }[];
  readonly definitions: readonly ZedDefinition[];
  readonly caveats: readonly ZedCaveat[];
  readonly mistakes: readonly ZedMistake[];
};

/** How loosely each operator binds in the engine: `+` tightest, then `&`, then `-`; seen by asking it. */
const loosestFirst: readonly ZedOperator[] = ['-', '&', '+'];

/** The expression with the parentheses that the engine puts in: `a - b + c` comes out as `a - (b + c)`. */
export const zedText = (expression: ZedExpression): string => {
  if (expression.kind === 'name') return expression.name;
  if (expression.kind === 'chain') return chainText(expression.operands, expression.operators);
  if (expression.kind !== 'arrow') return expression.kind;
  return expression.all
    ? `${expression.relation}.all(${expression.permission})`
    : `${expression.relation}->${expression.permission}`;
};

const chainText = (operands: readonly ZedExpression[], operators: readonly ZedOperator[]): string => {
  const loosest = loosestFirst.find((operator) => operators.includes(operator));
  const [only] = operands;
  if (loosest === undefined) return only === undefined ? '' : zedText(only);
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at <= operators.length; at++) {
    if (at < operators.length && operators[at] !== loosest) continue;
    const inner = operators.slice(from, at);
    const part = operands.slice(from, at + 1);
    const text = chainText(part, inner);
    const compound = inner.length > 0 || part[0]?.kind === 'chain';
    parts.push(compound ? `(${text})` : text);
    from = at + 1;
  }
  return parts.join(` ${loosest} `);
};

export type ZedLeaf = Extract<ZedExpression, { kind: 'name' | 'arrow' }>;

/** Every name and arrow in an expression. */
export function* zedLeaves(expression: ZedExpression): Generator<ZedLeaf> {
  if (expression.kind === 'chain') for (const operand of expression.operands) yield* zedLeaves(operand);
  else if (expression.kind === 'name' || expression.kind === 'arrow') yield expression;
}
