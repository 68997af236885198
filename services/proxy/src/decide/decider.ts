/**
 * Asks for decisions: from the cache at once, else from the decision point, many questions in one call, each asked once however
 * many requests wait for it. An answer that a fact overtook is asked again.
 *
 * `then` is called in the same turn of the event loop in which the answer was compared with what is known, so nothing can come
 * between the comparison and the forwarding. That is why there is no promise here.
 */
import {
  type Answer,
  type Context,
  contextFields,
  type DecisionPoint,
  type EndpointId,
  type ObjectQuestion,
  objectText,
  type Question,
  type Sequence,
} from '@postern/schemas';
import type { Ahead } from './ahead.ts';
import { type Asked, type Decided, type DecisionCache, keyOf, valueText } from './cache.ts';

export type { Asked } from './cache.ts';

type Subjects = Question['subjects'];
export type Caller = { readonly subjects: Subjects; readonly caller: string };
export type Decision = { readonly answer: Answer; readonly cached: boolean };

export type Decider = (
  caller: Caller,
  endpoint: EndpointId,
  context: Context,
  then: (decision: Decision) => void,
  objects?: readonly ObjectQuestion[],
) => void;

type Waiting = {
  readonly asked: Asked;
  readonly question: Question;
  readonly waiters: ((decision: Decision) => void)[];
  readonly attempt: number;
};

/** A fact that touches the same caller has to overtake an answer this often before the gate gives up. */
const attemptsMax = 5;
/** Questions in one call. */
const batchMax = 200;

export type DeciderDeps = {
  readonly point: DecisionPoint;
  readonly cache: DecisionCache;
  /** The sequence that this proxy has applied. */
  readonly sequence: () => Sequence;
  readonly ahead: Pick<Ahead, 'wait'>;
  /** A request's continuation threw: it must not take the others' with it. */
  readonly failed: (error: unknown) => void;
};

export const decider = ({ point, cache, sequence, ahead, failed }: DeciderDeps): Decider => {
  let queue: Waiting[] = [];
  /** Questions under way, by everything that the answer may depend on. */
  const open = new Map<string, Waiting>();

  const enqueue = (waiting: Waiting, key: string): void => {
    open.set(key, waiting);
    queue.push(waiting);
    // Asked at the end of this turn, so that requests which came in together are asked about together.
    if (queue.length === 1) setImmediate(ask);
  };
  const ask = (): void => {
    const all = queue;
    queue = [];
    for (let at = 0; at < all.length; at += batchMax) void askBatch(all.slice(at, at + batchMax));
  };
  const askBatch = async (batch: readonly Waiting[]): Promise<void> => {
    let answers: readonly Answer[] = [];
    try {
      answers = await point.decide(batch.map(({ question }) => question));
    } catch (error) {
      failed(error);
    }
    for (const [index, waiting] of batch.entries()) settle(waiting, answers[index] ?? unreachable);
  };
  const settle = (waiting: Waiting, answer: Answer): void => {
    if (answer.outcome !== 'unavailable' && answer.sequence > sequence()) {
      ahead.wait(answer.sequence, (reached) => settle(waiting, reached ? answer : behind));
      return;
    }
    const { asked, question, attempt, waiters } = waiting;
    const key = openKey(asked, question.context, question.atLeast);
    if (open.get(key) === waiting) open.delete(key);
    const settled = answer.outcome === 'unavailable' ? answer : accepted(asked, question, answer);
    if (settled === undefined && attempt < attemptsMax) {
      const again = { ...question, atLeast: sequence() };
      enqueue({ ...waiting, question: again, attempt: attempt + 1 }, openKey(asked, again.context, again.atLeast));
      return;
    }
    const decision = { answer: settled ?? behind, cached: false };
    for (const each of waiters)
      try {
        each(decision);
      } catch (error) {
        failed(error);
      }
  };
  const accepted = (asked: Asked, { context, atLeast }: Question, answer: Decided): Decided | undefined =>
    answer.sequence >= atLeast && cache.keep(asked, context, answer) ? answer : undefined;

  return ({ subjects, caller }, endpoint, context, then, objects = []) => {
    const besides = objects.length > 0;
    const asked: Asked = besides
      ? { subjects, caller, endpoint, objects: objects.map(objectText).join(' ') }
      : { subjects, caller, endpoint };
    const answer = cache.find(asked, context);
    if (answer !== undefined) return then({ answer, cached: true });
    const question: Question = { subjects, endpoint, ...(besides && { objects }), context, atLeast: sequence() };
    const key = openKey(asked, context, question.atLeast);
    const same = open.get(key);
    if (same !== undefined) same.waiters.push(then);
    else enqueue({ asked, question, waiters: [then], attempt: 1 }, key);
  };
};

const unreachable: Answer = { outcome: 'unavailable', reason: 'engine-unreachable' };
const behind: Answer = { outcome: 'unavailable', reason: 'behind' };

const openKey = (asked: Asked, context: Context, atLeast: Sequence): string => {
  let key = `${keyOf(asked)}\n${atLeast}`;
  for (const field of contextFields) key += `\n${valueText(context[field])}`;
  return key;
};
