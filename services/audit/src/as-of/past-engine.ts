/** One real engine for questions about the past: brought to a slice, with the schema of that time, and asked. One question at a time. */
import type { Reached, Relationships } from '@postern/relationships';
import {
  beginning,
  gateSchema,
  isProblem,
  type Organisation,
  Problem,
  type Relationship,
  type Sequence,
  updatesBetween,
} from '@postern/schemas';
import type { Slice } from './slice.ts';

/** The authorizer's questions over an engine that somebody else fills. */
export type QuestionsOver<Questions> = (deps: {
  readonly engine: Relationships;
  readonly organisation: Organisation;
  readonly reached: () => Reached;
}) => Questions;

export type PastEngine<Questions> = AsyncDisposable & {
  readonly ask: <Answer>(slice: Slice, work: (questions: Questions) => Promise<Answer>) => Promise<Answer>;
};

type Standing = {
  readonly engine: Relationships;
  schema: string | undefined;
  held: readonly Relationship[];
  reached: Reached;
};

export const pastEngine = <Questions>(
  openEngine: () => Promise<Relationships>,
  questionsOver: QuestionsOver<Questions>,
): PastEngine<Questions> => {
  let turn: Promise<unknown> = Promise.resolve();
  let standing: Standing | undefined;

  const open = async (): Promise<Standing> => ({
    engine: await openEngine(),
    schema: undefined,
    held: [],
    reached: { sequence: beginning, zookie: '' as Reached['zookie'], place: undefined },
  });
  const move = async (on: Standing, wanted: readonly Relationship[], to: Sequence): Promise<void> => {
    const updates = updatesBetween(on.held, wanted);
    const written = await on.engine.project({
      from: on.reached.sequence,
      to,
      updates,
      facts: [],
      actor: 'as-of',
      onTheWay: false,
    });
    if (written.outcome === 'lost')
      throw new Problem('runtime/internal', { detail: 'somebody else writes to the engine of the past' });
    on.held = wanted;
    on.reached = written.reached;
  };
  const bringTo = async ({ organisation, relationships }: Slice): Promise<Standing> => {
    standing ??= await open();
    const schema = organisation.schema ?? gateSchema;
    if (standing.schema !== schema) {
      // A schema is refused while there are relationships that it does not know.
      if (standing.schema !== undefined) await move(standing, [], beginning);
      await standing.engine.writeSchema(schema);
      standing.schema = schema;
    }
    await move(standing, relationships, organisation.sequence);
    return standing;
  };
  const close = async (): Promise<void> => {
    const closing = standing;
    standing = undefined;
    await closing?.engine[Symbol.asyncDispose]();
  };
  return {
    ask: (slice, work) => {
      const mine = turn.then(async () => {
        try {
          const { engine, reached } = await bringTo(slice);
          return await work(questionsOver({ engine, organisation: slice.organisation, reached: () => reached }));
        } catch (error) {
          // What the engine holds after a failure is not known; the next question gets a fresh one.
          if (!isProblem(error, 'authorizer/bad-question')) await close();
          throw error;
        }
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    [Symbol.asyncDispose]: async () => {
      await turn;
      await close();
    },
  };
};
