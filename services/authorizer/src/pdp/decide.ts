/**
 * The decision: all subjects of a question must hold all that it asks for, on one snapshot that is at least as fresh as asked. It is asked without
 * context first, which tells what the answer depends on; only what depends on something is asked again with the context.
 */
import type { Reached, Relationships, Verdict } from '@postern/relationships';
import { type Answer, type ContextField, contextFields, type DecisionPoint, type Question } from '@postern/schemas';
import { metrics, type Telemetry } from '@postern/telemetry';
import type { Projection } from '../projection.ts';
import { type Demand, demandsOf, together, toItems } from './demands.ts';
import { microBatch } from './micro-batch.ts';

export type DecideDeps = {
  readonly engine: Pick<Relationships, 'checkAt'>;
  readonly projection: Pick<Projection, 'reached' | 'until' | 'beyond' | 'asked'>;
  readonly telemetry: Telemetry;
};
export type DecideConfig = {
  /** How long a question may wait for the projection to reach its `atLeast`, in ms. */
  readonly waitMs: number;
};

/** A fact has to overtake the questions this often before they are given up. */
const attemptsMax = 8;
/** 512 questions are about one bulk call; more calls at once than the engine has cores only queue inside it. */
const limits = { itemsMax: 512, inFlightMax: 4 } as const;

export const decisionPoint = (
  { engine, projection, telemetry }: DecideDeps,
  { waitMs }: DecideConfig,
): DecisionPoint => {
  const asked = telemetry.metrics.counter(metrics.checks, 'Questions decided, by outcome', ['outcome']);

  /** The engine moves under the questions with every fact, by our own projection or another authorizer's: then they are asked anew. */
  const decideAt = async (questions: readonly Question[]): Promise<Answer[]> => {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      let reached: Reached | undefined;
      const answers = await projection.asked(async () => {
        reached = projection.reached();
        return reached === undefined ? undefined : decideFrom(reached, questions);
      }, waitMs);
      if (answers === undefined) break;
      if (answers !== 'moved') return answers;
      if ((await projection.beyond(reached, waitMs)) === undefined) break;
    }
    return questions.map(() => unavailable('behind'));
  };

  const decideFrom = async (reached: Reached, questions: readonly Question[]): Promise<Answer[] | 'moved'> => {
    const ask = (chosen: readonly Question[], withContext: boolean) => askAll(engine, chosen, withContext, reached);
    const told = await ask(questions, false);
    if (told === 'moved') return told;
    const bare = told.map((verdicts) => withoutContext(verdicts, reached));
    const open = questions.filter((_, at) => bare[at]?.kind === 'open');
    // Every subject is asked again, those that need no context too: else the two halves would be of two snapshots.
    const again = open.length === 0 ? [] : await ask(open, true);
    if (again === 'moved') return again;
    let next = 0;
    return bare.map((step) =>
      step.kind === 'answered' ? step.answer : withContext(again[next++] ?? [], reached, step.dependsOn),
    );
  };

  const decideOne = async (question: Question): Promise<Answer> => {
    const reached = await projection.until(question.atLeast, waitMs);
    if (reached === undefined) return unavailable('behind');
    return (await decideAt([question]))[0] ?? unavailable('engine-unreachable');
  };

  const decideAll = async (questions: readonly Question[]): Promise<readonly Answer[]> => {
    const reached = projection.reached();
    const [now, later]: [number[], number[]] = [[], []];
    questions.forEach(({ atLeast }, at) => {
      (reached !== undefined && reached.sequence >= atLeast ? now : later).push(at);
    });
    const answers: Answer[] = questions.map(() => unavailable('engine-unreachable'));
    const fill = async (at: readonly number[], work: (chosen: readonly Question[]) => Promise<readonly Answer[]>) => {
      try {
        const given = await work(at.flatMap((index) => questions[index] ?? []));
        at.forEach((index, n) => {
          answers[index] = given[n] ?? unavailable('engine-unreachable');
        });
      } catch {
        // Whatever it was: it stays "could not ask", and that refuses.
      }
    };
    await Promise.all([
      reached !== undefined && now.length > 0 ? fill(now, decideAt) : undefined,
      ...later.map((index) => fill([index], ([question]) => Promise.all(question ? [decideOne(question)] : []))),
    ]);
    for (const { outcome } of answers) asked(1, { outcome });
    return answers;
  };

  // Those that wait for the projection are kept out of the shared call, or they would hold up the others.
  const soon = microBatch(decideAll, limits);
  return {
    decide: async (questions) => {
      const reached = projection.reached();
      if (questions.every(({ atLeast }) => reached !== undefined && reached.sequence >= atLeast))
        return soon(questions);
      return decideAll(questions);
    },
  };
};

const unavailable = (reason: Extract<Answer, { outcome: 'unavailable' }>['reason']): Answer => ({
  outcome: 'unavailable',
  reason,
});

/** The verdicts on each question's demands, in one bulk call. */
const askAll = async (
  engine: DecideDeps['engine'],
  questions: readonly Question[],
  withContext: boolean,
  reached: Reached,
): Promise<Verdict[][] | 'moved'> => {
  const demands = questions.map(demandsOf);
  const verdicts = await engine.checkAt(
    questions.flatMap(({ context }, at) => toItems(demands[at] ?? [], withContext ? context : undefined)),
    reached,
  );
  if (verdicts === 'moved') return verdicts;
  let at = 0;
  const next = ({ alternatives }: Demand): Verdict => {
    const own = verdicts.slice(at, at + alternatives.length);
    at += alternatives.length;
    return together(own);
  };
  return demands.map((own) => own.map(next));
};

type Step =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'open'; readonly dependsOn: readonly ContextField[] };

const withoutContext = (verdicts: readonly Verdict[], { sequence }: Reached): Step => {
  const answered = (answer: Answer): Step => ({ kind: 'answered', answer });
  const deny = (reason: 'no-grant' | 'context-missing', dependsOn: readonly ContextField[] = []) =>
    answered({ outcome: 'deny', reason, sequence, dependsOn });
  // A question about nobody is allowed to nobody.
  if (verdicts.length === 0) return deny('no-grant');
  if (verdicts.some(({ verdict }) => verdict === 'failed')) return answered(unavailable('bad-context'));
  if (verdicts.some(({ verdict }) => verdict === 'has-not')) return deny('no-grant');
  const fields = new Set(verdicts.flatMap((each) => (each.verdict === 'depends' ? each.on : [])));
  const dependsOn = contextFields.filter((field) => fields.has(field));
  // A caveat of the engineers' own on the way to an endpoint asks for what the gate never has.
  if (verdicts.some((each) => each.verdict === 'depends' && each.parameters)) return deny('context-missing', dependsOn);
  if (verdicts.every(({ verdict }) => verdict === 'has'))
    return answered({ outcome: 'allow', sequence, dependsOn: [] });
  return { kind: 'open', dependsOn };
};

const withContext = (
  verdicts: readonly Verdict[],
  { sequence }: Reached,
  dependsOn: readonly ContextField[],
): Answer => {
  const some = (verdict: Verdict['verdict']) => verdicts.some((each) => each.verdict === verdict);
  if (verdicts.length === 0 || some('failed')) return unavailable('bad-context');
  if (some('has-not')) return { outcome: 'deny', reason: 'condition-unmet', sequence, dependsOn };
  if (some('depends')) return { outcome: 'deny', reason: 'context-missing', sequence, dependsOn };
  return { outcome: 'allow', sequence, dependsOn };
};
