/**
 * Several questions of one request, answered as one: allowed where all are. The questions go out in one turn, so they make one call
 * to the decision point. `then` is called in a turn in which every answer still counts: where a fact came between the first answer
 * and the last, all are asked again (most of them from the cache).
 */
import type { Answer, Context, EndpointId, ObjectQuestion, Sequence } from '@postern/schemas';
import type { Caller, Decider, Decision } from './decider.ts';

/** The first endpoint that is not allowed is named beside the answer, and every reason that refused one is told. */
export type JointDecision = Decision & { readonly refused?: EndpointId; readonly refusedFor?: readonly DenyReason[] };
export type DenyReason = Extract<Answer, { outcome: 'deny' }>['reason'];
export type AskedOperation = { readonly endpoint: EndpointId; readonly objects?: readonly ObjectQuestion[] };
export type DecideAll = (
  caller: Caller,
  endpoints: readonly AskedOperation[],
  context: Context,
  then: (decision: JointDecision) => void,
) => void;

const attemptsMax = 5;

export const decideAll = (decide: Decider, sequence: () => Sequence, failed: (error: unknown) => void): DecideAll => {
  const attempt = (...[caller, endpoints, context, then, round]: [...Parameters<DecideAll>, round: number]): void => {
    const answers: (Decision | undefined)[] = endpoints.map(() => undefined);
    let open = endpoints.length;
    let since: Sequence | undefined;
    const settle = (): void => {
      if (since === sequence()) then(joint(endpoints, answers));
      else if (round >= attemptsMax) then(behind);
      else attempt(caller, endpoints, context, then, round + 1);
    };
    for (const [index, { endpoint, objects }] of endpoints.entries())
      decide(
        caller,
        endpoint,
        context,
        (decision) => {
          since ??= sequence();
          answers[index] = decision;
          if (--open === 0) settle();
        },
        objects,
      );
  };
  return (caller, endpoints, context, then) => {
    const [only] = endpoints;
    if (only === undefined) return failed(new TypeError('nothing is asked'));
    if (endpoints.length === 1)
      return decide(
        caller,
        only.endpoint,
        context,
        (decision) =>
          then(
            decision.answer.outcome === 'allow'
              ? decision
              : { ...decision, refused: only.endpoint, refusedFor: reasonsOf(decision) },
          ),
        only.objects,
      );
    attempt(caller, endpoints, context, then, 1);
  };
};

const behind: JointDecision = { answer: { outcome: 'unavailable', reason: 'behind' }, cached: false };

/** What could not be asked refuses before what is denied: nothing is said about the others then. */
const joint = (endpoints: readonly AskedOperation[], decisions: readonly (Decision | undefined)[]): JointDecision => {
  const judged: Exclude<Answer, { outcome: 'unavailable' }>[] = [];
  const refusedFor: DenyReason[] = [];
  let refused: { readonly answer: Extract<Answer, { outcome: 'deny' }>; readonly at: number } | undefined;
  for (const [index, decision] of decisions.entries()) {
    if (decision === undefined) return behind;
    const { answer } = decision;
    if (answer.outcome === 'unavailable') return decision;
    judged.push(answer);
    if (answer.outcome === 'allow') continue;
    refusedFor.push(answer.reason);
    refused ??= { answer, at: index };
  }
  const [first, ...others] = judged;
  if (first === undefined) return behind;
  // A service that is only observed may let a refused request pass: then it rests on all of the answers, as an allowed one does.
  const rests = {
    sequence: leastOf(first.sequence, others),
    dependsOn: [...new Set(judged.flatMap(({ dependsOn }) => dependsOn))],
  };
  const cached = decisions.every((decision) => decision?.cached === true);
  if (refused === undefined) return { cached, answer: { outcome: 'allow', ...rests } };
  const endpoint = endpoints[refused.at]?.endpoint;
  return {
    cached,
    answer: { ...refused.answer, ...rests },
    refusedFor,
    ...(endpoint !== undefined && { refused: endpoint }),
  };
};

const reasonsOf = ({ answer }: Decision): readonly DenyReason[] => (answer.outcome === 'deny' ? [answer.reason] : []);

const leastOf = (first: Sequence, others: readonly { readonly sequence: Sequence }[]): Sequence => {
  let least = first;
  for (const { sequence } of others) if (sequence < least) least = sequence;
  return least;
};
