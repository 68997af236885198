/** What the engine's compiler takes without a word, and a reader misreads. Pure: on the text alone. */
import { gateSchema } from '@postern/schemas';
import {
  gateFile,
  parseZed,
  type ZedDefinition,
  type ZedExpression,
  type ZedPermission,
  type ZedSchema,
  zedLeaves,
  zedText,
} from '@postern/schemas/zed';
import type { Finding, Level, Rule } from '../report/finding.ts';

export type PlaceOf = (line: number) => { readonly file: string; readonly line: number };

const nameText = '[a-z][a-z0-9_]{1,62}[a-z0-9]';
const relationName = new RegExp(`^${nameText}$`);
const typeName = new RegExp(`^(${nameText}/)*${nameText}$`);

/** What lies beyond the gate's example type: the definitions that facts are written under. */
const gate = parseZed(gateSchema);
const gateCaveats: ReadonlySet<string> = new Set(gate.caveats.map(({ name }) => name));

export const lintSchema = (schema: ZedSchema, placeOf: PlaceOf): Finding[] => {
  const findings: Finding[] = [];
  const say = (rule: Rule, level: Level, line: number, what: string, fix?: string): void => {
    findings.push({ rule, level, ...placeOf(line), what, ...(fix !== undefined && { fix }) });
  };
  for (const { line, what, fix } of schema.mistakes) say('schema/syntax', 'error', line, what, fix);
  const types = new Map(schema.definitions.map((definition) => [definition.name, definition]));
  const caveats = new Map(schema.caveats.map((caveat) => [caveat.name, caveat]));
  for (const definition of schema.definitions) {
    if (!typeName.test(definition.name)) say('schema/name', 'error', definition.line, ...badName(definition.name));
    lintRelations(definition, types, caveats, say);
    for (const permission of definition.permissions) lintPermission(definition, permission, types, say);
    lintNames(definition, say);
    lintUse(definition, schema, say);
    lintGate(definition, say);
  }
  for (const { name, line, parameters } of schema.caveats)
    if (!gateCaveats.has(name))
      say(
        'schema/foreign-caveat',
        'warning',
        line,
        `the caveat ${name} asks for ${parameters.join(', ') || 'nothing'}; the gate knows only what the caveat holds asks for, and no fact writes a relationship under another`,
        'put the condition into the grant (from, until, cidrs, countries, hours)',
      );
  // Of the gate's own definitions only those complain that a file has taken something from, and that is said there.
  return findings.filter(({ file }) => file !== gateFile);
};

const lintNames = ({ name: type, relations, permissions }: ZedDefinition, say: Say): void => {
  const lines = new Map<string, number>();
  for (const { name, line } of [...relations, ...permissions].sort((a, b) => a.line - b.line)) {
    const first = lines.get(name);
    if (first === undefined) lines.set(name, line);
    else say('schema/twice', 'error', line, `${type}#${name} is there already`, 'give one of the two another name');
  }
};

type Say = (rule: Rule, level: Level, line: number, what: string, fix?: string) => void;

const badName = (name: string): [string, string] => [
  `the name ${name} is not one of 3 to 64 letters, digits and _`,
  'write a-z, 0-9 and _, beginning with a letter and not ending with _',
];

const lintRelations = (
  { name: type, relations }: ZedDefinition,
  types: ReadonlyMap<string, ZedDefinition>,
  caveats: ReadonlyMap<string, unknown>,
  say: Say,
): void => {
  for (const { name, allows, line } of relations) {
    if (!relationName.test(name)) say('schema/name', 'error', line, ...badName(name));
    for (const each of allows) {
      const known = types.get(each.type);
      if (each.wildcard)
        say(
          'schema/wildcard',
          'error',
          each.line,
          `${type}#${name} takes ${each.type}:*, everybody there is and will be`,
          'give the relation to a group or a role; an endpoint for everybody is public in the route file',
        );
      if (each.traits.includes('expiration'))
        say(
          'schema/expiration',
          'error',
          each.line,
          `${type}#${name} is fed by expiration: the engine goes on allowing for seconds after it, and history cannot be replayed`,
          'give the role for a time (until in the grant): that is judged at the instant itself',
        );
      for (const trait of each.traits)
        if (trait !== 'expiration' && !caveats.has(trait))
          say(
            'schema/unknown-name',
            'error',
            each.line,
            `${type}#${name} is under the caveat ${trait}, which is not defined`,
          );
      if (known === undefined)
        say(
          'schema/unknown-name',
          'error',
          each.line,
          `${type}#${name} takes ${each.type}, which is not defined`,
          `defined: ${[...types.keys()].join(', ')}`,
        );
      else if (each.relation !== undefined && !membersOf(known).includes(each.relation))
        say(
          'schema/unknown-name',
          'error',
          each.line,
          `${type}#${name} takes ${each.type}#${each.relation}, which ${each.type} does not have`,
          `it has ${membersOf(known).join(', ') || 'nothing'}`,
        );
    }
  }
};

const membersOf = ({ relations, permissions }: ZedDefinition): string[] => [
  ...relations.map(({ name }) => name),
  ...permissions.map(({ name }) => name),
];

const lintPermission = (
  definition: ZedDefinition,
  { name, types: annotated, expression, line }: ZedPermission,
  types: ReadonlyMap<string, ZedDefinition>,
  say: Say,
): void => {
  const type = definition.name;
  if (!relationName.test(name)) say('schema/name', 'error', line, ...badName(name));
  if (annotated === undefined)
    say(
      'schema/unannotated',
      'error',
      line,
      `the permission ${type}#${name} does not say which subjects it is for, so the engine cannot tell that an expression is empty`,
      `write "permission ${name}: user | workload | credential = …" with those that it reaches`,
    );
  for (const leaf of zedLeaves(expression)) {
    const left = leaf.kind === 'name' ? leaf.name : leaf.relation;
    if (!membersOf(definition).includes(left))
      say(
        'schema/unknown-name',
        'error',
        leaf.line,
        `${type}#${name} names ${left}, which ${type} does not have`,
        `it has ${membersOf(definition).join(', ')}`,
      );
    else if (leaf.kind === 'arrow') {
      const targets = definition.relations.find((each) => each.name === left)?.allows ?? [];
      const missing = targets.filter((target) => {
        const known = types.get(target.type);
        return known !== undefined && !membersOf(known).includes(leaf.permission);
      });
      if (targets.length > 0 && missing.length === targets.length)
        say(
          'schema/unknown-name',
          'error',
          leaf.line,
          `${type}#${name} follows ${left} to ${leaf.permission}, which none of ${targets.map((each) => each.type).join(', ')} has: it gives nobody anything`,
        );
    }
  }
  lintOperators(`${type}#${name}`, expression, say);
};

const lintOperators = (permission: string, expression: ZedExpression, say: Say): void => {
  if (expression.kind !== 'chain') return;
  const { operands, operators, line } = expression;
  if (new Set(operators).size > 1) {
    const written = operands
      .map(
        (operand, n) =>
          `${operand.kind === 'chain' ? `(${zedText(operand)})` : zedText(operand)} ${operators[n] ?? ''}`,
      )
      .join(' ')
      .trim();
    say(
      'schema/mixed-operators',
      'error',
      line,
      `${permission}: "${written}" means "${zedText(expression)}"`,
      'write the parentheses: + binds tightest, then &, then -',
    );
  }
  for (const [n, operator] of operators.entries()) {
    const taken = operands[n + 1];
    if (operator === '-' && taken !== undefined && taken.kind !== 'nil')
      say(
        'schema/exclusion',
        'warning',
        taken.line,
        `${permission} takes away "${zedText(taken)}": until that fact has arrived, access is still given`,
        'let what gives access be a fact of its own, so that a late one refuses',
      );
  }
  for (const operand of operands) lintOperators(permission, operand, say);
};

/** A relation that nothing rests on: no permission names it, no arrow leads to it, no subject is taken through it. */
const lintUse = (definition: ZedDefinition, schema: ZedSchema, say: Say): void => {
  if (gate.definitions.some(({ name }) => name === definition.name)) return;
  const used = new Set<string>();
  for (const { name, permissions, relations } of schema.definitions) {
    for (const { expression } of permissions)
      for (const leaf of zedLeaves(expression)) {
        if (name === definition.name) used.add(leaf.kind === 'name' ? leaf.name : leaf.relation);
        if (leaf.kind === 'arrow') used.add(leaf.permission);
      }
    for (const { allows } of relations)
      for (const { type, relation } of allows)
        if (type === definition.name && relation !== undefined) used.add(relation);
  }
  for (const { name, line } of definition.relations)
    if (!used.has(name))
      say(
        'schema/unused-relation',
        'warning',
        line,
        `no permission rests on ${definition.name}#${name}: whoever stands in it gets nothing`,
        'name it in a permission, or remove it',
      );
};

/** A file may define what the gate defines, but it has to keep room for what the gate's own facts write. */
const lintGate = (definition: ZedDefinition, say: Say): void => {
  const own = gate.definitions.find(({ name }) => name === definition.name);
  if (own === undefined || own.name === 'employee') return;
  for (const { name, allows } of own.relations) {
    const given = definition.relations.find((each) => each.name === name);
    const taken = new Set(given?.allows.map(allowedText));
    const missing = given === undefined ? [] : allows.map(allowedText).filter((each) => !taken.has(each));
    if (given === undefined || missing.length > 0)
      say(
        'schema/gate-definition',
        'error',
        given?.line ?? definition.line,
        given === undefined
          ? `${own.name} has no relation ${name}, which the gate writes`
          : `${own.name}#${name} does not take ${missing.join(', ')}, which the gate writes`,
        `leave the definition out, and the gate's own is used; or write "relation ${name}: ${allows.map(allowedText).join(' | ')}"`,
      );
  }
  for (const { name } of own.permissions)
    if (!definition.permissions.some((each) => each.name === name))
      say(
        'schema/gate-definition',
        'error',
        definition.line,
        `${own.name} has no permission ${name}, which the gate asks for`,
        "leave the definition out, and the gate's own is used",
      );
};

const allowedText = ({
  type,
  relation,
  traits,
}: {
  type: string;
  relation?: string;
  traits: readonly string[];
}): string =>
  `${type}${relation === undefined ? '' : `#${relation}`}${traits.length > 0 ? ` with ${traits.join(' and ')}` : ''}`;
