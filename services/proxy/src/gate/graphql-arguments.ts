/** The arguments of root fields as JSON would say them: variables resolved, a default where a variable is not given. */
import { type FieldNode, Kind, type OperationDefinitionNode, type ValueNode } from 'graphql';
import { type Values, valuesAt } from './argument-values.ts';
import { numberText } from './strict-json.ts';

type Members = Readonly<Record<string, unknown>>;
class Doubtful extends Error {}

/** `variables` with its numbers as written; asked for once, and only where an argument is. */
export const argumentReader = (
  fields: readonly FieldNode[],
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: () => Members,
): ((field: string, path: string) => Values) => {
  let given: Members | undefined;
  const resolve = (value: ValueNode): unknown => {
    switch (value.kind) {
      case Kind.VARIABLE:
        return variable(value.name.value);
      case Kind.INT:
      case Kind.FLOAT:
        return { [numberText]: value.value };
      case Kind.STRING:
        return value.value;
      case Kind.LIST:
        return value.values.map(resolve);
      case Kind.OBJECT: {
        const object: Record<string, unknown> = Object.create(null);
        for (const { name, value: member } of value.fields) {
          if (name.value in object) throw new Doubtful(`${name.value} stands twice in one object`);
          object[name.value] = resolve(member);
        }
        return object;
      }
      default:
        return null;
    }
  };
  const variable = (name: string): unknown => {
    const definitions = variableDefinitions.filter((each) => each.variable.name.value === name);
    const [definition] = definitions;
    if (definition === undefined || definitions.length > 1)
      throw new Doubtful(`the variable $${name} is not defined once`);
    given ??= variables();
    if (Object.hasOwn(given, name)) return given[name];
    // A default is a constant (GraphQL 2021-10 §2.10), so this ends.
    return definition.defaultValue === undefined ? null : resolve(definition.defaultValue);
  };
  return (field, path) => {
    const [name = '', ...rest] = path.split('.');
    const values: string[] = [];
    try {
      for (const each of fields.filter((one) => one.name.value === field)) {
        const named = (each.arguments ?? []).filter((one) => one.name.value === name);
        const [argument] = named;
        if (argument === undefined || named.length > 1)
          return { why: `the field ${field} does not carry the argument ${name} once` };
        const found = valuesAt(resolve(argument.value), rest, path);
        if ('why' in found) return found;
        values.push(...found.values);
      }
    } catch (error) {
      if (error instanceof Doubtful) return { why: error.message };
      throw error;
    }
    return { values };
  };
};
