/**
 * Asks a model each question once, of all subjects that are alike in it together. An answer that depends on no circumstances is good
 * for all of them; one that depends on some is asked again only for other values of just those.
 */
import type { Answer, Context, ContextField, EndpointId, ObjectQuestion } from '@postern/schemas';
import { contextFields, objectText } from '@postern/schemas';
import type { FoldedModel } from '../folded-model.ts';
import { likenessOver } from './likeness.ts';
import type { Subject } from './use.ts';

export type Ask = {
  readonly subjects: readonly Subject[];
  readonly endpoint: EndpointId;
  readonly objects: readonly ObjectQuestion[];
  readonly context: Context;
};
export type Asking = {
  /** Answers in order. What the engine could not answer is `unavailable`: the gate would refuse. */
  readonly ask: (questions: readonly Ask[]) => Promise<readonly Answer[]>;
  /** Does the answer depend on circumstances? Of what has been asked before. */
  readonly depends: (question: Ask) => boolean;
  /** Questions that went to the engine. */
  readonly asked: () => number;
};

type Known = { readonly dependsOn: readonly ContextField[]; readonly answers: Map<string, Answer> };

/** Of the model as it is now: what it is told later is not seen. */
export const asking = (model: Pick<FoldedModel, 'decide' | 'relationships'>): Asking => {
  const likeness = likenessOver(model.relationships());
  const textOf = ({ subjects, endpoint, objects }: Ask): string =>
    `${endpoint} ${objects.map(objectText).join(' ')} ${subjects.map(likeness).join(' ')}`;
  const known = new Map<string, Known>();
  let asked = 0;

  const find = (question: Ask): Answer | undefined => {
    const found = known.get(textOf(question));
    return found?.answers.get(valuesOf(question.context, found.dependsOn));
  };
  const round = async (unordered: readonly Ask[]): Promise<void> => {
    // The engine walks the graph once for what one subject asks in one call.
    const open = [...unordered.entries()]
      .map(([at, question]) => ({ at, question, subjects: question.subjects.join(' ') }))
      .sort((a, b) => (a.subjects < b.subjects ? -1 : a.subjects > b.subjects ? 1 : a.at - b.at))
      .map(({ question }) => question);
    asked += open.length;
    const answers = await model.decide(
      open.map(({ objects, ...question }) => ({ ...question, ...(objects.length > 0 && { objects }) })),
    );
    for (const [at, question] of open.entries()) {
      const answer = answers[at] ?? { outcome: 'unavailable', reason: 'engine-unreachable' };
      const text = textOf(question);
      const entry = known.get(text) ?? { dependsOn: dependsOn(answer), answers: new Map() };
      entry.answers.set(valuesOf(question.context, entry.dependsOn), answer);
      known.set(text, entry);
    }
  };
  return {
    ask: async (questions) => {
      // First each question in one circumstance: that tells what it depends on. Then what is still open.
      const first = new Map<string, Ask>();
      for (const question of questions) if (!known.has(textOf(question))) first.set(textOf(question), question);
      await round([...first.values()]);
      const rest = new Map<string, Ask>();
      for (const question of questions)
        if (find(question) === undefined)
          rest.set(
            `${textOf(question)} ${valuesOf(question.context, known.get(textOf(question))?.dependsOn ?? [])}`,
            question,
          );
      if (rest.size > 0) await round([...rest.values()]);
      return questions.map((question) => find(question) ?? { outcome: 'unavailable', reason: 'engine-unreachable' });
    },
    depends: (question) => (known.get(textOf(question))?.dependsOn.length ?? 0) > 0,
    asked: () => asked,
  };
};

/** What could not be answered may have been for any of its circumstances. */
const dependsOn = (answer: Answer): readonly ContextField[] =>
  answer.outcome === 'unavailable' ? contextFields : answer.dependsOn;

const valuesOf = (context: Context, fields: readonly ContextField[]): string =>
  fields.length === 0 ? '' : JSON.stringify(fields.map((field) => context[field] ?? null));
