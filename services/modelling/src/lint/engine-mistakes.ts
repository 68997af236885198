/** The engine's own complaint about the composed schema, brought back to the line of the file that it is about. */
import type { ZedSchema } from '@postern/schemas/zed';
import type { Finding } from '../report/finding.ts';
import type { PlaceOf } from './lint-schema.ts';

export const engineMistake = (complaint: string, schema: ZedSchema, placeOf: PlaceOf): Finding => {
  const what = complaint
    .replace(/^parse error in `schema`, line \d+, column \d+: /, '')
    .replace(/ERROR: \w+:\d+:\d+: /, '');
  return {
    rule: 'schema/refused',
    level: 'error',
    ...placeOf(lineOf(complaint, schema)),
    what: `the engine refuses it: ${what}`,
  };
};

/** By line where it tells one, else by the names in it: `definition `doc``, `relation `see``. */
const lineOf = (complaint: string, { definitions }: ZedSchema): number => {
  const told = /line (\d+), column/.exec(complaint)?.[1];
  if (told !== undefined) return Number(told);
  const named = new Set([...complaint.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const candidates = definitions.filter(({ name }) => new RegExp(`definition \`${name}\``).test(complaint));
  for (const definition of candidates.length > 0 ? candidates : definitions)
    for (const { name, line } of [...definition.permissions, ...definition.relations]) if (named.has(name)) return line;
  return candidates[0]?.line ?? 1;
};
