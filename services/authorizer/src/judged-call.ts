/** One call judged, with the reasons that a decision alone does not give. */
import type { Logger } from '@postern/runtime';
import {
  beginning,
  type Context,
  type CredentialId,
  type DecisionPoint,
  decodeId,
  type Endpoint,
  missingScopes,
  type ObjectQuestion,
  objectsOf,
  type PrincipalId,
  Problem,
  type Sequence,
} from '@postern/schemas';
import type { MatchedPath } from './authzen/to-check.ts';
import { type Explanation, explain } from './explain.ts';
import { linksOf, type SearchDeps } from './search.ts';

export type JudgeCallDeps = SearchDeps & {
  readonly decide: DecisionPoint['decide'];
  readonly log: Pick<Logger, 'warn'>;
};
export type About = {
  readonly subject: PrincipalId | CredentialId;
  readonly context: Context;
  readonly scopes?: readonly string[];
};

export type Judged = {
  readonly decision: 'allow' | 'deny';
  readonly reason?: string;
  readonly subject: string;
  readonly endpoint: string;
  readonly objects?: readonly ObjectQuestion[];
  readonly context: Context;
  readonly sequence: Sequence;
  readonly dependsOn?: readonly string[];
  /** What the token lacks. */
  readonly scopes?: readonly string[];
  readonly explanation?: Explanation;
};

/** `query.viewer`, as the endpoint's id has it, or `query viewer`, `tool search`, `method tools/list` in words. */
export const isNamed = ({ id }: Endpoint, operation: string): boolean => {
  const written = operation.replace(/^method[ .]/, 'rpc.').replace(' ', '.');
  return id === operation || decodeId(id.slice(id.indexOf('/') + 1)) === written;
};

export const judgeCall = async (
  deps: JudgeCallDeps,
  { subject, context, scopes }: About,
  matched: MatchedPath,
): Promise<Judged> => {
  const { decide, log, projection } = deps;
  const organisation = projection.organisation();
  const { endpoint } = matched;
  const named = objectsOf(matched);
  if (named.outcome !== 'named' && endpoint.operation === undefined)
    throw new Problem('authorizer/bad-question', { detail: `the path names no object: ${named.why}` });
  const asksFor = named.outcome === 'named' ? named.objects : [];
  const objects = asksFor.length > 0 ? { objects: asksFor } : {};
  const about = { subject, endpoint: endpoint.id, ...objects, context };
  // No body names an object, so the gate has nothing to ask of one.
  if (named.outcome !== 'named')
    return { decision: 'deny', reason: 'cannot-decide', ...about, sequence: organisation.sequence };
  const subjects = linksOf(organisation, subject);
  const asked = { subjects, endpoint: endpoint.id, ...objects, context };
  const related = await relatedBy(deps, subjects, asksFor, context);
  const explanation = explain(organisation, { ...asked, related });
  const lacking = missingScopes(scopes, endpoint);
  const scoped = (judged: Judged): Judged =>
    judged.decision === 'allow' && lacking.length > 0
      ? { ...judged, decision: 'deny', reason: 'scope-missing', scopes: lacking }
      : judged;
  if (endpoint.public) return scoped({ decision: 'allow', ...about, sequence: organisation.sequence, explanation });
  const [answer] = await decide([{ ...asked, atLeast: beginning }]);
  if (answer === undefined || answer.outcome === 'unavailable')
    throw new Problem(answer?.reason === 'behind' ? 'authorizer/behind' : 'authorizer/engine-unreachable', {
      detail: answer?.reason ?? 'no answer',
    });
  const { outcome, sequence, dependsOn } = answer;
  // The engine decides; a reason that says otherwise would be of another moment, and is no reason.
  if (explanation.outcome !== outcome)
    log.warn({ asked, answer, explanation }, 'the explanation is not of this decision');
  return scoped({
    decision: outcome,
    ...(answer.outcome === 'deny' && { reason: answer.reason }),
    ...about,
    sequence,
    dependsOn,
    ...(explanation.outcome === outcome && { explanation }),
  });
};

/** Who of the subjects holds which object by relationships of the object alone. */
const relatedBy = async (
  { engine, projection }: SearchDeps,
  subjects: readonly string[],
  objects: readonly ObjectQuestion[],
  context: Context,
): Promise<(subject: string, object: ObjectQuestion) => boolean> => {
  const items = subjects.flatMap((subject) => objects.map((object) => ({ ...object, subject, context })));
  const verdicts = items.length === 0 ? [] : await engine.check(items, projection.reached()?.zookie);
  return (subject, { resource, permission }) =>
    items.some(
      (item, at) =>
        item.subject === subject &&
        item.resource === resource &&
        item.permission === permission &&
        verdicts[at]?.verdict === 'has',
    );
};
