/** Short questions to the cluster (where does a topic end?), on a connection that is made again when it breaks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '@postern/schemas';
import { type Connection, connectTo, type Offsets } from './connection.ts';
import type { KafkaSettings } from './settings.ts';

export type Control = Disposable & {
  /** Rejects with `event-log/unreachable` where no answer came before `deadline` aborted. */
  readonly offsets: (topic: string, deadline: AbortSignal) => Promise<Map<number, Offsets>>;
};

const pausesMs = { first: 50, most: 1_000 };

export const control = (settings: KafkaSettings): Control => {
  let connection: Promise<Connection> | undefined;
  let closed = false;
  const letGo = () => {
    connection?.then(
      ({ abandon }) => abandon(),
      () => {},
    );
    connection = undefined;
  };
  const connected = async (deadline: AbortSignal): Promise<Connection> => {
    if (closed) throw logClosed();
    connection ??= connectTo(settings);
    return within(deadline, connection);
  };
  return {
    offsets: async (topic, deadline) => {
      let pauseMs = pausesMs.first;
      let refused = 0;
      for (;;) {
        let open: Connection | undefined;
        try {
          open = await connected(deadline);
          return await within(deadline, open.offsets(topic));
        } catch (cause) {
          letGo();
          // A broker that answers, but not yet or no longer for this topic, is in the middle of an election or a creation: that
          // passes. One that cannot be connected to twice is away.
          if (open === undefined) refused++;
          if (closed || deadline.aborted || refused >= 2) throw unreachable(settings, cause);
        }
        await sleep(pauseMs, undefined, { signal: deadline }).catch(() => {});
        pauseMs = Math.min(pauseMs * 2, pausesMs.most);
      }
    },
    [Symbol.dispose]: () => {
      closed = true;
      letGo();
    },
  };
};

export const unreachable = (settings: KafkaSettings, cause: unknown): Problem =>
  new Problem('event-log/unreachable', {
    detail: `no answer from Kafka at ${settings.brokers.join(', ')}`,
    fix: 'Check that the brokers run and can be reached from here.',
    cause,
  });

export const logClosed = (): Problem => new Problem('event-log/unreachable', { detail: 'this log is closed' });

/** Rejects when `signal` aborts first; what was waited for goes on unheard. */
export const within = <Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
