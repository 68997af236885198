/** Short questions to the cluster (where does a topic end?), on a connection that is made again when it breaks. */
import { Problem } from '@postern/schemas';
import { type Connection, connectTo, type Offsets } from './connection.ts';
import type { KafkaSettings } from './settings.ts';

export type Control = Disposable & {
  /** Rejects with `event-log/unreachable` where no answer came before `deadline` aborted. */
  readonly offsets: (topic: string, deadline: AbortSignal) => Promise<Map<number, Offsets>>;
};

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
  const ask = async (topic: string): Promise<Map<number, Offsets>> => {
    if (closed) throw logClosed();
    connection ??= connectTo(settings);
    return (await connection).offsets(topic);
  };
  return {
    offsets: async (topic, deadline) => {
      try {
        try {
          return await within(deadline, ask(topic));
        } catch (error) {
          // A connection that broke while nobody used it fails its first question: a new one gets a chance.
          letGo();
          if (deadline.aborted) throw error;
          return await within(deadline, ask(topic));
        }
      } catch (cause) {
        letGo();
        throw unreachable(settings, cause);
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
