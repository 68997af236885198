/** Sends records durably, and knows afterwards what is known: acknowledged, not sent at all, or nobody can say yet. */
import { type Message, Partitioners, type Producer } from 'kafkajs';
import { kafkaClient, type Sockets, trackedSockets } from './client.ts';
import { logClosed, within } from './control.ts';
import type { KafkaSettings } from './settings.ts';

export type Sent =
  /** On all in-sync replicas. `offset` is the first record's, in the lowest partition written to. */
  | { readonly outcome: 'acknowledged'; readonly offset: number }
  | { readonly outcome: 'not-sent'; readonly cause: unknown }
  | { readonly outcome: 'unknown'; readonly cause: unknown };

export type Sending = AsyncDisposable & {
  readonly send: (topic: string, messages: Message[], deadline: AbortSignal) => Promise<Sent>;
};

type Live = { readonly producer: Producer; readonly sockets: Sockets };

export const sending = (settings: KafkaSettings): Sending => {
  let live: Promise<Live> | undefined;
  let closed = false;

  const connect = async (): Promise<Live> => {
    const sockets = trackedSockets();
    const producer = kafkaClient(settings, sockets).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 500 },
    });
    try {
      await producer.connect();
      return { producer, sockets };
    } catch (error) {
      letGo({ producer, sockets });
      throw error;
    }
  };

  const letGo = ({ producer, sockets }: Live) => {
    sockets.destroy();
    producer.disconnect().catch(() => {});
  };

  return {
    send: async (topic, messages, deadline) => {
      if (closed) return { outcome: 'not-sent', cause: logClosed() };
      let current: Live;
      try {
        live ??= connect();
        current = await within(deadline, live);
      } catch (cause) {
        live?.then(letGo, () => {});
        live = undefined;
        return { outcome: 'not-sent', cause };
      }
      const before = current.sockets.bytesWritten();
      try {
        const [first] = await within(deadline, current.producer.send({ topic, messages, acks: -1 }));
        return { outcome: 'acknowledged', offset: Number(first?.baseOffset) };
      } catch (cause) {
        const sentNothing = current.sockets.bytesWritten() === before;
        // kafkajs takes back a failed send's sequence numbers. Another send under the same numbers would look to the broker like the
        // first one repeated, and be dropped with an acknowledgement: a producer that failed once is never used again.
        live = undefined;
        letGo(current);
        return { outcome: sentNothing ? 'not-sent' : 'unknown', cause };
      }
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      const last = live;
      live = undefined;
      await last?.then(letGo, () => {});
    },
  };
};
