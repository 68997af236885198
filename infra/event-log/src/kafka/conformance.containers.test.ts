import { startKafka } from '@postern/containers';
import { type Backend, eventLogConformance, type LogUnderTest } from '../conformance.ts';
import type { EventLog } from '../port.ts';
import { kafkaClient, trackedSockets } from './client.ts';
import { losingProxy } from './losing-proxy.ts';
import { openKafka } from './open.ts';
import { parseKafkaUrl } from './settings.ts';
import { topicsOf } from './topics.ts';

const startBackend = async (): Promise<Backend> => {
  const stack = new AsyncDisposableStack();
  const proxy = stack.use(await losingProxy());
  const kafka = stack.use(await startKafka({ advertised: proxy.address }));
  const [host = '', port = ''] = kafka.brokers.split(':');
  proxy.pointAt({ host, port: Number(port) });
  let logs = 0;

  const create = async (): Promise<LogUnderTest> => {
    const url = `kafka://${proxy.address}/conformance${++logs}`;
    const topics = topicsOf(`conformance${logs}`);
    let doors: EventLog[] = [];
    const own = new AsyncDisposableStack();
    const client = kafkaClient(parseKafkaUrl(url), trackedSockets());
    const close = async () => {
      for (const door of doors) await door[Symbol.asyncDispose]();
      doors = [];
    };
    own.defer(close);
    const admin = client.admin();
    await admin.connect();
    own.defer(() => admin.disconnect());
    const deleteBefore = async (topic: string, offset: number) => {
      // kafkajs asks the topic's leader without having learnt who that is, unless another question came first.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
    };
    return {
      url,
      open: async () => {
        const door = await openKafka(url);
        doors.push(door);
        return door;
      },
      close,
      writeForeign: async (bytes) => {
        const producer = client.producer();
        await producer.connect();
        await producer.send({ topic: topics.facts, messages: [{ value: bytes && Buffer.from(bytes) }] });
        await producer.disconnect();
      },
      truncateFacts: (sequence) => deleteBefore(topics.facts, sequence - 1),
      truncateRecords: () => deleteBefore(topics.quarantine, 2),
      loseAcknowledgements: async (count) => proxy.lose(count),
      interrupt: () => kafka.pause(),
      resume: () => kafka.unpause(),
      [Symbol.asyncDispose]: () => own.disposeAsync(),
    };
  };
  return { create, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

eventLogConformance('kafka', startBackend);
