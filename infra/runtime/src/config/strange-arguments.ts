/** Object rules of GraphQL fields, held against the schema. */
import type { RoutesYaml } from '@postern/schemas';

/** Rules that name an argument which the field does not take: every request would be refused. */
export function* strangeArguments(
  entry: RoutesYaml[number],
  argumentsOf: ReadonlyMap<string, readonly string[]>,
): Generator<{ readonly key: string; readonly what: string; readonly fix: string }> {
  for (const [key, options] of Object.entries(entry)) {
    const taken = key.includes(' ') ? undefined : argumentsOf.get(key);
    for (const rule of taken === undefined ? [] : (options?.objects ?? [])) {
      const [argument = ''] = 'argument' in rule ? rule.argument.split('.') : [];
      if ('argument' in rule && taken?.includes(argument) === false)
        yield {
          key,
          what: `an object rule names the argument ${argument}, which ${key} does not take`,
          fix: taken.length === 0 ? 'it takes none' : `one of ${taken.join(', ')}`,
        };
    }
  }
}
