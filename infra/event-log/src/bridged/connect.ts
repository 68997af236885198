/** The end of a bridged log where it is asked: the same port as everywhere, over a message port to the thread that has the log. */
import type { MessagePort } from 'node:worker_threads';
import { arrivedProblem, Problem } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { EventLog, FactBatch, FollowOptions, RecordBatch, RecordLog } from '../port.ts';
import type { AnswerMessage, Call, CallMessage, StreamName } from './messages.ts';

export type Connected = EventLog & {
  /** Every call under way and every later one is refused: the thread that has the log is gone. */
  readonly lost: (why: string) => void;
};

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (problem: Problem) => void };

export const connectedLog = (port: MessagePort, carrier: () => Carrier = () => ({})): Connected => {
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let streams = 0;
  let gone: Problem | undefined;

  const lost = (why: string): void => {
    gone ??= new Problem('event-log/unreachable', { detail: `the thread that has the log ${why}` });
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  port.on('message', (answer: AnswerMessage) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('problem' in answer) asked?.reject(arrivedProblem(answer.problem));
    else asked?.resolve(answer.value);
  });
  port.once('close', () => lost('closed its door'));

  const ask = <Result>(call: Call): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      const id = ++calls;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      port.postMessage({ ...call, id, carrier: carrier() } satisfies CallMessage);
    });

  async function* follow<Batch>(
    of: StreamName,
    from: unknown,
    { signal, beatMs }: FollowOptions,
  ): AsyncGenerator<Batch> {
    const on = ++streams;
    const close = (): void => void ask({ call: 'close', on }).catch(() => {});
    await ask({ call: 'follow', of, from, beatMs, on });
    if (signal.aborted) return close();
    signal.addEventListener('abort', close, { once: true });
    try {
      while (!signal.aborted) {
        const { done, value } = await ask<IteratorResult<Batch>>({ call: 'next', on });
        if (done === true || signal.aborted) return;
        yield value;
      }
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }
  const records = (of: Exclude<StreamName, 'facts'>): RecordLog => ({
    publish: (...args) => ask({ call: 'publish', to: of, args }),
    follow: (from, options) => follow<RecordBatch>(of, from, options),
    end: () => ask({ call: 'end', of }),
  });

  return {
    facts: {
      head: () => ask({ call: 'head' }),
      append: (...args) => ask({ call: 'append', args }),
      follow: (after, options) => follow<FactBatch>('facts', after, options),
    },
    decisions: records('decisions'),
    enforcement: records('enforcement'),
    quarantine: records('quarantine'),
    ping: () => ask({ call: 'ping' }),
    lost,
    [Symbol.asyncDispose]: async () => {
      lost('was left');
      port.close();
    },
  };
};
