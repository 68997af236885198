/**
 * Evaluates JSONata of people's own in a thread of its own, bounded in time and memory: an expression that does not end, or that
 * builds without end, is stopped with its thread, and the next one gets a new thread.
 */
import { Worker } from 'node:worker_threads';
import type { Asked, Told } from './messages.ts';

export type Evaluated =
  | { readonly outcome: 'made'; readonly value: unknown }
  /** `position`: the offset in the expression. */
  | { readonly outcome: 'failed'; readonly why: string; readonly position?: number };

export type Evaluator = AsyncDisposable & {
  readonly evaluate: (expression: string, input: unknown, timeoutMs: number) => Promise<Evaluated>;
};

const limits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };
const startTimeoutMs = 20_000;
/** What one message may be made into. */
const madeBytesMax = 1_048_576;

type Running = { readonly worker: Worker; readonly next: (timeoutMs: number) => Promise<Told | 'late' | Error> };

export const evaluator = (): Evaluator => {
  let running: Running | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let asked = 0;

  const stop = async (): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.worker.terminate();
  };
  const start = async (): Promise<Running | string> => {
    const begun = begin();
    const ready = await begun.next(startTimeoutMs);
    if (ready !== 'late' && !(ready instanceof Error)) return begun;
    await begun.worker.terminate();
    return ready === 'late' ? 'the evaluation could not be started in time' : ready.message;
  };

  const evaluate = async (expression: string, input: unknown, timeoutMs: number): Promise<Evaluated> => {
    const begun = running ?? (await start());
    if (typeof begun === 'string') return { outcome: 'failed', why: begun };
    running = begun;
    begun.worker.postMessage({ number: ++asked, expression, input } satisfies Asked);
    const told = await begun.next(timeoutMs);
    if (told === 'late') {
      await stop();
      return { outcome: 'failed', why: `it did not end within ${timeoutMs} ms` };
    }
    if (told instanceof Error) {
      await stop();
      const { code } = told as NodeJS.ErrnoException;
      return {
        outcome: 'failed',
        why:
          code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needs more than ${limits.maxOldGenerationSizeMb} MB` : told.message,
      };
    }
    if (told.outcome === 'made') {
      if (told.json.length > madeBytesMax)
        return { outcome: 'failed', why: `what it makes is larger than ${madeBytesMax} bytes` };
      return { outcome: 'made', value: JSON.parse(told.json) };
    }
    if (told.outcome === 'failed')
      return { outcome: 'failed', why: told.why, ...(told.position !== undefined && { position: told.position }) };
    return { outcome: 'failed', why: 'the evaluation began anew' };
  };

  return {
    evaluate: (...what) => {
      const result = turn.then(() => evaluate(...what));
      turn = result.catch(() => {});
      return result;
    },
    [Symbol.asyncDispose]: async () => {
      await turn;
      await stop();
    },
  };
};

const begin = (): Running => {
  const worker = new Worker(new URL('./evaluation.ts', import.meta.url), { resourceLimits: limits, env: {} });
  worker.unref();
  let settle: ((told: Told | Error) => void) | undefined;
  let early: Told | Error | undefined;
  const take = (told: Told | Error): void => {
    if (settle) settle(told);
    else early ??= told;
  };
  worker.on('message', take);
  worker.on('error', (error) => take(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => take(new Error('the evaluation ended unexpectedly')));
  return {
    worker,
    next: (timeoutMs) =>
      new Promise((resolve) => {
        const done = (told: Told | 'late' | Error): void => {
          clearTimeout(timer);
          settle = undefined;
          early = undefined;
          resolve(told);
        };
        const timer = setTimeout(() => done('late'), timeoutMs);
        settle = done;
        if (early !== undefined) done(early);
      }),
  };
};
