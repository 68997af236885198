/**
 * Questions that arrive in the same turn of the event loop share one call, and while many calls are under way the next one grows
 * instead: the load on the engine is bounded by its own speed.
 */
export type MicroBatchLimits = { readonly itemsMax: number; readonly inFlightMax: number };

type Waiting<Question, Answer> = {
  readonly questions: readonly Question[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
};

export const microBatch = <Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  { itemsMax, inFlightMax }: MicroBatchLimits,
): ((questions: readonly Question[]) => Promise<readonly Answer[]>) => {
  let waiting: Waiting<Question, Answer>[] = [];
  let inFlight = 0;
  let scheduled = false;

  const take = (): Waiting<Question, Answer>[] => {
    let count = 0;
    let end = 0;
    for (const { questions } of waiting) {
      if (end > 0 && count + questions.length > itemsMax) break;
      count += questions.length;
      end++;
    }
    const taken = waiting.slice(0, end);
    waiting = waiting.slice(end);
    return taken;
  };
  const send = async (batch: readonly Waiting<Question, Answer>[]): Promise<void> => {
    inFlight++;
    try {
      const answers = await ask(batch.flatMap(({ questions }) => questions));
      let at = 0;
      for (const { questions, resolve } of batch) {
        resolve(answers.slice(at, at + questions.length));
        at += questions.length;
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight--;
      pump();
    }
  };
  const pump = (): void => {
    while (waiting.length > 0 && inFlight < inFlightMax) void send(take());
  };

  return (questions) =>
    new Promise((resolve, reject) => {
      waiting.push({ questions, resolve, reject });
      if (scheduled) return;
      scheduled = true;
      // Behind the I/O callbacks of this turn: requests that were read together are asked together.
      setImmediate(() => {
        scheduled = false;
        pump();
      });
    });
};
