/** Asks as the gate does: of every endpoint that is called, and every object that its rules name, in one go; then what a token was delegated. */
import { type Answer, type ContextField, missingScopes, type ObjectQuestion, objectText } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import type { Asked, Asking } from './asked.ts';

export const askAll = async (folded: FoldedModel, askings: readonly Asking[]): Promise<readonly Asked[]> => {
  const questions = askings.flatMap(({ subjects, context, called: { endpoints, objects } }) =>
    endpoints.map((endpoint) => ({
      subjects,
      endpoint: endpoint.id,
      ...(objects.length > 0 && { objects }),
      context,
    })),
  );
  const answers = await folded.decide(questions);
  const related = await relatedIn(folded, askings);
  let at = 0;
  return askings.map((asking): Asked => {
    const { endpoints } = asking.called;
    const own = endpoints.map((endpoint, n) => ({ endpoint, answer: answers[at + n] ?? unreachable }));
    at += endpoints.length;
    const lacking = endpoints
      .map((endpoint) => ({ endpoint, scopes: missingScopes(asking.scopes, endpoint) }))
      .find(({ scopes }) => scopes.length > 0);
    const found = joint(own);
    return {
      ...asking,
      ...found,
      endpoint: found.endpoint ?? endpoints[0],
      ...(lacking !== undefined && { lacking }),
      related,
    };
  });
};

const unreachable: Answer = { outcome: 'unavailable', reason: 'engine-unreachable' };

/** Several operations of one request are answered as one: what could not be asked first, then what is refused. */
const joint = (
  own: readonly { readonly endpoint: Asked['endpoint']; readonly answer: Answer }[],
): { readonly answer: Answer; readonly endpoint?: Asked['endpoint'] } => {
  const first =
    own.find(({ answer }) => answer.outcome === 'unavailable') ?? own.find(({ answer }) => answer.outcome === 'deny');
  if (first !== undefined) return first;
  const judged = own.flatMap(({ answer }) => (answer.outcome === 'allow' ? [answer] : []));
  const [any] = judged;
  if (any === undefined) return { answer: unreachable };
  const dependsOn = new Set<ContextField>(judged.flatMap((each) => each.dependsOn));
  return { answer: { ...any, dependsOn: [...dependsOn] } };
};

/** What is held by relationships of objects alone: no answer of the decision point says by which of its ways an object is held. */
const relatedIn = async (folded: FoldedModel, askings: readonly Asking[]): Promise<ReadonlySet<string>> => {
  const items = askings.flatMap(({ subjects, context, called: { objects } }) =>
    objects.flatMap((object) => subjects.map((subject) => ({ ...object, subject, context }))),
  );
  const verdicts = items.length === 0 ? [] : await folded.engine.check(items);
  return new Set(items.flatMap((item, n) => (verdicts[n]?.verdict === 'has' ? [relatedKey(item.subject, item)] : [])));
};

export const relatedKey = (subject: string, object: ObjectQuestion): string => `${subject} ${objectText(object)}`;
