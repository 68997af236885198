/**
 * kafkajs's own connection to a cluster, below its consumer. Its public consumer cannot read without a group: each reader would
 * cost a rebalance and leave a group behind, would start again elsewhere without a word when the log was truncated, and stop for good
 * on some errors. The version is pinned exactly, so that what is declared here stays true.
 */
declare module 'kafkajs/src/cluster/index.js' {
  import type { IHeaders, ISocketFactory, KafkaConfig, Logger } from 'kafkajs';

  export type FetchedMessage = {
    readonly offset: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers?: IHeaders;
    readonly isControlRecord?: boolean;
  };
  export type FetchedPartition = {
    readonly partition: number;
    readonly highWatermark: string;
    /** The log's first offset, as kafkajs spells it. */
    readonly lastStartOffset: string;
    readonly messages: readonly FetchedMessage[];
  };
  export type FetchRequest = {
    readonly isolationLevel: 0 | 1;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  };
  export type Broker = {
    fetch(request: FetchRequest): Promise<{
      readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
    }>;
  };

  export default class Cluster {
    constructor(
      options: Pick<KafkaConfig, 'ssl' | 'sasl' | 'clientId' | 'connectionTimeout' | 'requestTimeout' | 'retry'> & {
        readonly brokers: string[];
        readonly logger: Logger;
        readonly socketFactory: ISocketFactory;
        readonly enforceRequestTimeout: boolean;
        readonly metadataMaxAge: number;
        readonly allowAutoTopicCreation: boolean;
        readonly isolationLevel: 0 | 1;
      },
    );
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    addTargetTopic(topic: string): Promise<void>;
    refreshMetadataIfNecessary(): Promise<void>;
    findTopicPartitionMetadata(topic: string): { readonly partitionId: number }[];
    findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
    findBroker(destination: { readonly nodeId: string }): Promise<Broker>;
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number }[];
        readonly fromBeginning: boolean;
      }[],
    ): Promise<
      { readonly topic: string; readonly partitions: { readonly partition: number; readonly offset: string }[] }[]
    >;
  }
}
