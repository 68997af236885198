/** One Kafka broker (its own controller), reachable from the host and from containers of the same process. */
import { type StartedContainer, startContainer } from './started-container.ts';

export type StartedKafka = StartedContainer & {
  /** `host:port`, as seen from the host. */
  readonly brokers: string;
  /** `host:port`, as seen from other containers of this process. */
  readonly brokersInNetwork: string;
};

export type KafkaOptions = {
  /** Broker settings in the image's spelling: `KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false'`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The `host:port` that clients on the host are sent to, where a test stands in between; the broker itself stays at `brokers`. */
  readonly advertised?: string;
};

const alias = 'kafka';
/** ApiVersions, version 0, correlation id 1, no client id; big-endian, behind its length. */
const askVersions = Uint8Array.of(0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff);

export const startKafka = async ({ environment = {}, advertised }: KafkaOptions = {}): Promise<StartedKafka> => {
  const { address, ...container } = await startContainer(({ host, port }) => ({
    image: process.env['POSTERN_KAFKA_IMAGE'] ?? 'apache/kafka:4.1.0',
    alias,
    port: 9092,
    probe: { say: askVersions, understands: (answer) => answer.byteLength > 8 && answer[7] === 1 },
    environment: {
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,BROKER://:19092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${advertised ?? `${host}:${port}`},BROKER://${alias}:19092`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      ...environment,
    },
  }));
  return {
    ...container,
    brokers: `${address.host}:${address.port}`,
    brokersInNetwork: `${alias}:19092`,
  };
};
