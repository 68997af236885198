/**
 * Evaluates JSONata of people's own in a process of its own, bounded in time and memory: an expression that does not end, or that
 * builds without end, is stopped with its process, and the next one gets a new one. A thread would not do: one allocation that is
 * large enough ends the whole process, whatever limits the thread has.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Asked, Told } from './messages.ts';

export type Evaluated =
  | { readonly outcome: 'made'; readonly value: unknown }
  /** `position`: the offset in the expression. */
  | { readonly outcome: 'failed'; readonly why: string; readonly position?: number };

export type Evaluator = AsyncDisposable & {
  readonly evaluate: (expression: string, input: unknown, timeoutMs: number) => Promise<Evaluated>;
};

const memoryMb = 96;
const startTimeoutMs = 20_000;
/** What one message may be made into. */
const madeBytesMax = 1_048_576;

type Ended = { readonly outcome: 'ended'; readonly why: string };
type Running = {
  readonly send: (asked: Asked) => void;
  readonly next: (timeoutMs: number) => Promise<Told | Ended | 'late'>;
  readonly stop: () => void;
};

export const evaluator = (): Evaluator => {
  let running: Running | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let asked = 0;

  const stop = (): void => {
    running?.stop();
    running = undefined;
  };
  const start = async (): Promise<Running | string> => {
    const begun = begin();
    const ready = await begun.next(startTimeoutMs);
    if (ready !== 'late' && ready.outcome !== 'ended') return begun;
    begun.stop();
    return ready === 'late' ? 'the evaluation could not be started in time' : ready.why;
  };

  const evaluate = async (expression: string, input: unknown, timeoutMs: number): Promise<Evaluated> => {
    const begun = running ?? (await start());
    if (typeof begun === 'string') return { outcome: 'failed', why: begun };
    running = begun;
    begun.send({ number: ++asked, expression, input });
    const told = await begun.next(timeoutMs);
    if (told === 'late' || told.outcome === 'ended') {
      stop();
      return { outcome: 'failed', why: told === 'late' ? `it did not end within ${timeoutMs} ms` : told.why };
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
      stop();
    },
  };
};

const begin = (): Running => {
  const child = fork(fileURLToPath(new URL('./evaluation.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${memoryMb}`],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Whoever uses it ends by itself, and takes it along.
  child.unref();
  child.channel?.unref?.();
  let settle: ((told: Told | Ended) => void) | undefined;
  let early: Told | Ended | undefined;
  const take = (told: Told | Ended): void => {
    if (settle) settle(told);
    else early ??= told;
  };
  child.on('message', (told) => take(told as Told));
  child.on('error', (error) => take({ outcome: 'ended', why: error.message }));
  child.on('exit', (code, signal) =>
    take({
      outcome: 'ended',
      why:
        signal === 'SIGABRT' || code === 134
          ? `it needs more than ${memoryMb} MB`
          : `the evaluation ended unexpectedly (${signal ?? code})`,
    }),
  );
  return {
    send: (asked) => child.send(asked, () => {}),
    stop: () => void child.kill('SIGKILL'),
    next: (timeoutMs) =>
      new Promise((resolve) => {
        const done = (told: Told | Ended | 'late'): void => {
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
