/** One connection for reading: offsets and fetches, without a consumer group. */
import Cluster, { type FetchedPartition } from 'kafkajs/src/cluster/index.js';
import { clientId, connectionTimeoutMs, kafkaClient, requestTimeoutMs, trackedSockets } from './client.ts';
import type { KafkaSettings } from './settings.ts';

export type Offsets = { readonly low: number; readonly high: number };

export type Connection = {
  /** Where each partition begins and ends now. */
  readonly offsets: (topic: string) => Promise<Map<number, Offsets>>;
  /** Answers at once where there is something behind `positions`, otherwise after `waitMs`: one answer for each partition. */
  readonly fetch: (
    topic: string,
    positions: ReadonlyMap<number, number>,
    waitMs: number,
  ) => Promise<FetchedPartition[]>;
  /** Lets go at once; what is under way fails. */
  readonly abandon: () => void;
};

/** Whatever was written is read, whether a stranger's transaction was committed or not: admission looks at the bytes alone. */
const readUncommitted = 0;
const fetchBytesMax = 1_048_576;
const metadataMaxAgeMs = 60_000;

export const connectTo = async (settings: KafkaSettings): Promise<Connection> => {
  const sockets = trackedSockets();
  const cluster = new Cluster({
    ...settings,
    clientId,
    logger: kafkaClient(settings, sockets).logger(),
    socketFactory: sockets.factory,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    isolationLevel: readUncommitted,
    retry: { retries: 0 },
  });
  const abandon = () => {
    sockets.destroy();
    cluster.disconnect().catch(() => {});
  };
  try {
    await cluster.connect();
  } catch (error) {
    abandon();
    throw error;
  }

  const partitionsOf = async (topic: string): Promise<number[]> => {
    await cluster.addTargetTopic(topic);
    await cluster.refreshMetadataIfNecessary();
    const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
    if (partitions.length === 0) throw new Error(`the topic ${topic} is not there`);
    return partitions;
  };

  const ends = async (topic: string, partitions: readonly number[], fromBeginning: boolean) => {
    const [found] = await cluster.fetchTopicsOffset([
      { topic, partitions: partitions.map((partition) => ({ partition })), fromBeginning },
    ]);
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  };

  return {
    abandon,
    offsets: async (topic) => {
      const partitions = await partitionsOf(topic);
      const [lows, highs] = await Promise.all([ends(topic, partitions, true), ends(topic, partitions, false)]);
      return new Map(
        partitions.map((partition) => {
          const [low, high] = [lows.get(partition), highs.get(partition)];
          if (low === undefined || high === undefined) throw new Error(`no offsets for ${topic}-${partition}`);
          return [partition, { low, high }];
        }),
      );
    },
    fetch: async (topic, positions, waitMs) => {
      // A partition that was added since begins at 0 and is read like the others.
      const partitions = await partitionsOf(topic);
      const leaders = Object.entries(cluster.findLeaderForPartitions(topic, partitions));
      const answers = await Promise.all(
        leaders.map(async ([nodeId, led]) => {
          const broker = await cluster.findBroker({ nodeId });
          const { responses } = await broker.fetch({
            isolationLevel: readUncommitted,
            maxWaitTime: waitMs,
            minBytes: 1,
            maxBytes: fetchBytesMax,
            topics: [
              {
                topic,
                partitions: led.map((partition) => ({
                  partition,
                  fetchOffset: String(positions.get(partition) ?? 0),
                  maxBytes: fetchBytesMax,
                })),
              },
            ],
          });
          return responses.flatMap((response) => response.partitions);
        }),
      );
      return answers.flat();
    },
  };
};
