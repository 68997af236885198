/** Reads a topic that others write, with a consumer group: at least once, never past a message that was not handled, never dead. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { InboundFeed, InboundMessage } from '../port.ts';
import { kafkaClient, trackedSockets } from './client.ts';
import { registerZstd } from './codecs.ts';
import { toHeaders } from './headers.ts';
import type { KafkaSettings } from './settings.ts';

const heartbeatMs = 3_000;
/** A member that ended without a word is waited for that long before its partitions go to another. */
const sessionTimeoutMs = 10_000;
const backOffMs = { first: 200, most: 5_000 };

type Handle = (messages: readonly InboundMessage[]) => Promise<void>;

/** How much is handed over at once: it is held in memory, and comes again whole where it could not be handled. */
const handedMax = { messages: 2_000, bytes: 2_000_000 };

/** Told of what keeps a feed from reading on: it goes on trying, somebody may have to look. */
export type OnTrouble = (error: unknown) => void;

/** The settings' path is the topic. */
export const kafkaInbound = (settings: KafkaSettings, group: string, onTrouble: OnTrouble): InboundFeed => {
  registerZstd();
  const closing = new AbortController();
  return {
    consume: async (handle, wanted) => {
      const signal = AbortSignal.any([wanted, closing.signal]);
      let pauseMs = backOffMs.first;
      while (!signal.aborted) {
        const handled = await consumeUntilBroken(settings, group, handle, signal, onTrouble);
        pauseMs = handled ? backOffMs.first : Math.min(pauseMs * 2, backOffMs.most);
        await pause(pauseMs, signal);
      }
    },
    [Symbol.asyncDispose]: async () => closing.abort(),
  };
};

/**
 * One consumer's life. kafkajs restarts a consumer after some failures and leaves it dead, in a live process, after others: here
 * none restarts itself, and whatever ended it, the caller makes a new one. Tells whether any message was handled.
 */
const consumeUntilBroken = async (
  settings: KafkaSettings,
  group: string,
  handle: Handle,
  signal: AbortSignal,
  onTrouble: OnTrouble,
): Promise<boolean> => {
  const sockets = trackedSockets();
  const consumer = kafkaClient(settings, sockets).consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: 1_000,
    allowAutoTopicCreation: false,
    retry: { retries: 2, initialRetryTime: 100, restartOnFailure: async () => false },
  });
  let handled = false;
  const broken = new Promise<void>((resolve) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      onTrouble(payload.error);
      resolve();
    });
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: settings.path, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        for (const messages of inParts(payload.batch.messages)) {
          if (!(await untilHandled(payload, messages, handle, signal))) return;
          handled = true;
          payload.resolveOffset(messages.at(-1)?.offset ?? '');
          await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets());
        }
      },
    });
    await broken;
  } catch (error) {
    // Not connected, no such topic yet: the caller tries again.
    onTrouble(error);
  } finally {
    // Leaves the group where it still can, so that another member takes over at once.
    await Promise.race([consumer.disconnect().catch(() => {}), sleep(heartbeatMs, undefined, { ref: false })]);
    sockets.destroy();
  }
  return handled;
};

/** Hands the messages over until they are handled; false where this consumer no longer may: it stops, or the partition is another's. */
const untilHandled = async (
  { batch, heartbeat, isRunning, isStale }: EachBatchPayload,
  messages: readonly KafkaMessage[],
  handle: Handle,
  signal: AbortSignal,
): Promise<boolean> => {
  const inbound = messages.map(
    ({ value, offset, headers }): InboundMessage => ({
      topic: batch.topic,
      position: `${batch.partition}@${offset}`,
      bytes: value === null ? new Uint8Array() : Uint8Array.from(value),
      headers: toHeaders(headers),
    }),
  );
  let pauseMs = backOffMs.first;
  while (!signal.aborted && isRunning() && !isStale()) {
    // Handling may take longer than a session lasts; what a heartbeat has to say is heard at the next one outside.
    const beats = setInterval(() => void heartbeat().catch(() => {}), heartbeatMs);
    try {
      await handle(inbound);
      return true;
    } catch {
      // A failure of ours, not the messages': they are handed over again.
    } finally {
      clearInterval(beats);
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, backOffMs.most);
    await heartbeat();
  }
  return false;
};

const inParts = (messages: readonly KafkaMessage[]): KafkaMessage[][] => {
  const parts: KafkaMessage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = message.value?.byteLength ?? 0;
    const last = parts.at(-1);
    if (last === undefined || last.length >= handedMax.messages || bytes + size > handedMax.bytes) {
      parts.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return parts;
};

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});
