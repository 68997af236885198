/** AuthZEN evaluations: all items of a batch in one bulk check, on one snapshot. */
import type { CheckItem, Relationships } from '@postern/relationships';
import { describeZod } from '@postern/runtime';
import type { Projection } from '../projection.ts';
import { reachedOrRefuse } from '../search.ts';
import { type Batch, Evaluation, type Semantic } from './entities.ts';
import { toItems } from './to-check.ts';

export type EvaluateDeps = {
  readonly engine: Relationships;
  readonly projection: Projection;
  readonly now: () => number;
};
export type Decision = { readonly decision: boolean; readonly context?: Readonly<Record<string, unknown>> };

/** Only `has` of every subject is a yes; what the engine could not judge, or what depends on something else, is a no. */
export const evaluateAll = async (
  { engine, projection, now }: EvaluateDeps,
  evaluations: readonly Evaluation[],
): Promise<boolean[]> => {
  const { zookie } = reachedOrRefuse(projection);
  const organisation = projection.organisation();
  const each = evaluations.map((evaluation) => toItems(organisation, evaluation, now()));
  const items = each.flatMap((own): readonly CheckItem[] => (own === undefined || own === 'public' ? [] : own.flat()));
  const verdicts = items.length === 0 ? [] : await engine.check(items, zookie);
  let at = 0;
  return each.map((own) => {
    if (own === undefined || own === 'public') return own === 'public';
    const groups = own.map((group) => {
      const mine = verdicts.slice(at, at + group.length);
      at += group.length;
      return mine.some(({ verdict }) => verdict === 'has');
    });
    return groups.length > 0 && groups.every((holds) => holds);
  });
};

export const evaluateBatch = async (deps: EvaluateDeps, batch: Batch): Promise<Decision[]> => {
  const read = batch.evaluations.map((item) => Evaluation.safeParse(withDefaults(batch, item)));
  const decided = await evaluateAll(
    deps,
    read.flatMap(({ success, data }) => (success ? [data] : [])),
  );
  let at = 0;
  const decisions = read.map(({ success, error }): Decision => {
    if (success) return { decision: decided[at++] === true };
    return { decision: false, context: { error: { status: 400, message: describeZod(error) } } };
  });
  return upToTheFirst(batch.options?.evaluations_semantic ?? 'execute_all', decisions);
};

/** A whole entity replaces the default one, which lends it only what it lacks of `type`, `id` and `name`. */
const withDefaults = (batch: Batch, item: unknown): unknown => {
  if (!isObject(item)) return item;
  const merged: Record<string, unknown> = {};
  for (const entity of ['subject', 'action', 'resource', 'context'] as const) {
    const [own, given] = [item[entity], batch[entity]];
    if (own === undefined) merged[entity] = given;
    else if (entity === 'context' || !isObject(own) || !isObject(given)) merged[entity] = own;
    else merged[entity] = { ...pick(given, ['type', 'id', 'name']), ...own };
    if (merged[entity] === undefined) delete merged[entity];
  }
  return merged;
};
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const pick = (from: Record<string, unknown>, names: readonly string[]) =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

const upToTheFirst = (semantic: Semantic, decisions: Decision[]): Decision[] => {
  if (semantic === 'execute_all') return decisions;
  const end = decisions.findIndex(({ decision }) => decision === (semantic === 'permit_on_first_permit'));
  return end < 0 ? decisions : decisions.slice(0, end + 1);
};
