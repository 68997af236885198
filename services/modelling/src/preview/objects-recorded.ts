/**
 * Which objects an operation named. Its arguments stand in a body, which is not recorded; what was asked of them is. So an object of
 * the record belongs to the live rule that asks for its type and permission, and to whichever rule reads the same argument.
 */
import type { Endpoint, ObjectQuestion, ObjectRule } from '@postern/schemas';
import type { Use } from './use.ts';

export type RecordedObjects =
  | { readonly objects: readonly ObjectQuestion[] }
  /** The record does not tell, and a guess would be a wrong answer. */
  | { readonly why: string };

const none: RecordedObjects = { objects: [] };
const several =
  'an operation with an object rule, called with others: the record does not say which of them named which object';
const unheld = 'an object rule on an argument that the record does not hold';
const shared = 'an object rule on one of several arguments that the live rules ask the same of';

/** `live`: the rules under which the call was recorded. */
export const recordedObjects = (
  { objects: rules }: Pick<Endpoint, 'objects'>,
  live: readonly ObjectRule[] = [],
  { also = [], objects: asked = [] }: Pick<Use, 'also' | 'objects'>,
): RecordedObjects => {
  if (rules === undefined) return none;
  if (also.length > 0) return { why: several };
  const objects = new Map<string, ObjectQuestion>();
  for (const rule of rules) {
    const source = live.find((each) => each.type === rule.type && argumentOf(each) === argumentOf(rule));
    if (source === undefined) return { why: unheld };
    const { type, permission } = source;
    if (
      live.some((each) => each.type === type && each.permission === permission && argumentOf(each) !== argumentOf(rule))
    )
      return { why: shared };
    const named = asked.filter((each) => each.startsWith(`${type}:`) && each.endsWith(`#${permission}`));
    if (named.length === 0) return { why: unheld };
    for (const each of named) {
      const resource = each.slice(0, -permission.length - 1);
      objects.set(`${resource}#${rule.permission}`, { resource, permission: rule.permission });
    }
  }
  return { objects: [...objects.values()] };
};

const argumentOf = (rule: ObjectRule): string | undefined => ('argument' in rule ? rule.argument : undefined);
