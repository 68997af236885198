/** Calls into the engine's worker: batched per tick, each with a deadline, all of them failing at once when the worker dies. */
import type { Worker } from 'node:worker_threads';
import { arrivedProblem, Problem } from '@postern/schemas';
import type { AnswerMessage, CallMessage, Method } from './messages.ts';

export type Bridge = {
  readonly call: <Result>(method: Method, ...args: readonly unknown[]) => Promise<Result>;
  /** Lets the engine go, then ends the worker, whatever state it is in. */
  readonly stop: () => Promise<void>;
};

type Waiting = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (problem: Problem) => void;
  readonly timer: NodeJS.Timeout;
};

export const bridgeTo = (worker: Worker, deadlineMs: number): Bridge => {
  const waiting = new Map<number, Waiting>();
  let outgoing: CallMessage[] = [];
  let calls = 0;
  let gone: Problem | undefined;

  const take = (id: number): Waiting | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    clearTimeout(found?.timer);
    return found;
  };
  const end = (why: string, cause?: unknown): void => {
    gone ??= new Problem('authorizer/engine-unreachable', {
      detail: `the embedded relationship engine ${why}`,
      fix: 'Restart this process; the engine is filled again from the log.',
      cause,
    });
    for (const id of [...waiting.keys()]) take(id)?.reject(gone);
  };
  worker.on('message', (answers: readonly AnswerMessage[]) => {
    for (const answer of answers)
      if ('problem' in answer) take(answer.id)?.reject(arrivedProblem(answer.problem));
      else take(answer.id)?.resolve(answer.value);
  });
  worker.on('error', (error) => end(`stopped: ${error instanceof Error ? error.message : error}`, error));
  worker.on('exit', (code) => end(`ended with code ${code}`));

  const send = (): void => {
    const batch = outgoing;
    outgoing = [];
    if (gone === undefined) worker.postMessage(batch);
  };
  const call = <Result>(method: Method, ...args: readonly unknown[]): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      const id = ++calls;
      const timer = setTimeout(
        () =>
          take(id)?.reject(
            new Problem('authorizer/engine-unreachable', {
              detail: `the embedded relationship engine gave no answer to "${method}" within ${deadlineMs} ms`,
            }),
          ),
        deadlineMs,
      );
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
      // Whatever is asked in the same tick crosses in one post.
      if (outgoing.push({ id, method, args }) === 1) queueMicrotask(send);
    });
  const stop = async (): Promise<void> => {
    if (gone === undefined) await call('close').catch(() => undefined);
    end('was closed');
    await worker.terminate();
  };
  return { call, stop };
};
