/**
 * What a question asks of the engine: of every subject the endpoint and each object, and an object by any of three ways, its own
 * relationships, a role that opens all objects of the type, a role that opens this one.
 */
import type { CheckItem, Verdict } from '@postern/relationships';
import {
  type Context,
  type ContextField,
  contextFields,
  type ObjectQuestion,
  objectPermission,
  type Question,
} from '@postern/schemas';

/** One subject and one thing to hold: any of the alternatives will do. */
export type Demand = { readonly subject: string; readonly alternatives: readonly ObjectQuestion[] };

export const objectAlternatives = ({ resource, permission }: ObjectQuestion): readonly ObjectQuestion[] => {
  const everyOfType = `${resource.slice(0, resource.indexOf(':'))}:*`;
  return [
    { resource, permission },
    { resource: objectPermission(everyOfType, permission), permission: 'hold' },
    { resource: objectPermission(resource, permission), permission: 'hold' },
  ];
};

export const demandsOf = ({ subjects, endpoint, objects = [] }: Pick<Question, 'subjects' | 'endpoint' | 'objects'>) =>
  subjects.flatMap((subject): Demand[] => [
    { subject, alternatives: [{ resource: `endpoint:${endpoint}`, permission: 'call' }] },
    ...objects.map((object) => ({ subject, alternatives: objectAlternatives(object) })),
  ]);

export const toItems = (demands: readonly Demand[], context: Context | undefined): CheckItem[] =>
  demands.flatMap(({ subject, alternatives }) =>
    alternatives.map((alternative) => ({ ...alternative, subject, ...(context && { context }) })),
  );

/** One verdict on alternatives: one that holds is enough, and what could not be judged is never passed over for a no. */
export const together = (verdicts: readonly Verdict[]): Verdict => {
  if (verdicts.length === 0) return { verdict: 'has-not' };
  const [only] = verdicts;
  // An endpoint stands alone, and is in every schema that serves: where it is not, that is no answer.
  if (verdicts.length === 1 && only !== undefined) return only;
  const has = verdicts.find(({ verdict }) => verdict === 'has');
  if (has) return has;
  const failed = verdicts.find((each) => each.verdict === 'failed' && each.unknown !== true);
  if (failed) return failed;
  const depends = verdicts.flatMap((each) => (each.verdict === 'depends' ? [each] : []));
  if (depends.length === 0) return { verdict: 'has-not' };
  const fields = new Set<ContextField>(depends.flatMap(({ on }) => on));
  const on = contextFields.filter((field) => fields.has(field));
  // The gate can answer where one of the ways asks for nothing but its own context.
  const parameters = depends.every((each) => each.parameters !== undefined)
    ? [...new Set(depends.flatMap((each) => each.parameters ?? []))].sort()
    : [];
  return { verdict: 'depends', on, ...(parameters.length > 0 && { parameters }) };
};
