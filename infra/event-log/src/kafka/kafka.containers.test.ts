/** What only Kafka can get wrong. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type StartedKafka, startKafka } from '@postern/containers';
import { isProblem, type Sequence } from '@postern/schemas';
import kafkajs from 'kafkajs';
import { drafts } from '../conformance/drafts.ts';
import { factsAfter, recordsUntil } from '../conformance/reading.ts';
import { openEventLog, openInboundFeed } from '../open.ts';
import { kafkaClient, trackedSockets } from './client.ts';
import { openKafka } from './open.ts';
import { parseKafkaUrl } from './settings.ts';

const at = (sequence: number) => sequence as Sequence;

describe('the event log on Kafka', () => {
  let kafka: StartedKafka;
  before(async () => {
    kafka = await startKafka({ environment: { KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false' } });
  });
  after(async () => {
    await kafka[Symbol.asyncDispose]();
  });
  const url = (path: string) => `kafka://${kafka.brokers}/${path}`;
  const client = () => kafkaClient(parseKafkaUrl(url('any')), trackedSockets());
  const createTopic = async (topic: string, numPartitions: number, config: Record<string, string> = {}) => {
    const admin = client().admin();
    await admin.connect();
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] });
    await admin.disconnect();
  };

  test('processes that start together create the topics once and share one log', async () => {
    const logs = await Promise.all([1, 2, 3].map(() => openEventLog(url('together'))));
    const results = await Promise.all(logs.map((log, index) => log.facts.append(at(0), drafts(`w${index}`, 2))));
    assert.equal(results.filter(({ outcome }) => outcome === 'appended').length, 1);
    for (const log of logs) await log[Symbol.asyncDispose]();
  });

  test('the trace a write was made in travels in the headers of facts and records', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const log = await openKafka(url('traced'), { carrier: () => ({ traceparent }) });
    await log.facts.append(at(0), drafts('traced', 1));
    await log.decisions.publish([{ key: 'a', bytes: Buffer.from('a'), headers: { kind: 'test' } }]);
    assert.deepEqual((await factsAfter(log)).carriers, new Map([[1, { traceparent }]]));
    assert.deepEqual((await recordsUntil(log.decisions, {}, 1))[0]?.headers, { traceparent, kind: 'test' });
    await log[Symbol.asyncDispose]();
  });

  test('refuses a facts topic that could not keep one order of everything', async () => {
    const whole = { 'retention.ms': '-1', 'retention.bytes': '-1', 'compression.type': 'uncompressed' };
    await createTopic('wide.facts', 2, whole);
    await createTopic('compacted.facts', 1, { ...whole, 'cleanup.policy': 'compact' });
    await createTopic('forgetful.facts', 1, { ...whole, 'retention.ms': '604800000' });
    for (const [prefix, names] of [
      ['wide', '2 partitions'],
      ['compacted', 'cleanup.policy=compact'],
      ['forgetful', 'retention.ms=604800000'],
    ] as const)
      await assert.rejects(
        openEventLog(url(prefix)),
        (error) => isProblem(error, 'event-log/unfit-topic') && error.message.includes(names),
      );
  });

  test('says that it does not know when no answer came, and the append is there once or not at all', async () => {
    const log = await openKafka(url('unknown'), { appendTimeoutMs: 2_000 });
    await log.facts.append(at(0), drafts('before', 1));
    await kafka.pause();
    await assert.rejects(log.facts.append(at(1), drafts('asked', 2)), (error) =>
      isProblem(error, 'event-log/outcome-unknown'),
    );
    await kafka.unpause();
    const head = await log.facts.head();
    const found = (await factsAfter(log)).entries.map(({ sequence }) => sequence);
    assert.deepEqual(found, head === 3 ? [1, 2, 3] : [1]);
    assert.equal((await log.facts.append(head, drafts('behind', 1))).outcome, 'appended');
    await log[Symbol.asyncDispose]();
  });

  test('refuses at once, as unreachable and not as unknown, where nothing can have been written; goes on after the broker is back', async () => {
    const log = await openKafka(url('restart'));
    await log.facts.append(at(0), drafts('before', 1));
    await log.decisions.publish([{ key: 'a', bytes: Buffer.from('a') }]);
    await kafka.stop(0);
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(log.facts.append(at(1), drafts('asked', 1)), (error) =>
        isProblem(error, 'event-log/unreachable'),
      );
    await assert.rejects(log.decisions.publish([{ key: 'a', bytes: Buffer.from('b') }]), (error) =>
      isProblem(error, 'event-log/unreachable'),
    );
    await kafka.start();
    assert.equal((await log.facts.append(at(1), drafts('behind', 1))).outcome, 'appended');
    await log.decisions.publish([{ key: 'a', bytes: Buffer.from('b') }]);
    assert.equal((await factsAfter(log)).entries.length, 2);
    await log[Symbol.asyncDispose]();
  });

  test('an inbound feed hands over again what was not handled, in order, and commits only what was', async () => {
    await createTopic('hr', 1);
    const producer = client().producer();
    await producer.connect();
    const send = (value: string | null) =>
      producer.send({ topic: 'hr', messages: [{ value, headers: { kind: 'test' } }] });
    for (const value of ['a', 'b', null]) await send(value);
    const first = await consume('hr', (text, seen) => {
      // The second message fails twice: ours to mend, so it comes again before anything behind it.
      if (text === 'b' && seen.filter((each) => each === 'b').length < 3) throw new Error('our log is away');
      return text === '';
    });
    // What was handed over with it comes again too: how much that is, is for the broker to say.
    assert.deepEqual([...new Set(first)], ['a', 'b', '']);
    assert.deepEqual(first.slice(-2), ['b', '']);
    assert.equal(first.filter((each) => each === 'b').length, 3);
    await producer.send({
      topic: 'hr',
      messages: [{ value: 'packed', headers: { kind: 'test' } }],
      compression: kafkajs.CompressionTypes.ZSTD,
    });
    assert.deepEqual(await consume('hr', () => true), ['packed']);
    await producer.disconnect();
  });

  test('an inbound feed survives the broker being away', async () => {
    await createTopic('hr2', 1);
    const seen: string[] = [];
    const stop = new AbortController();
    await using feed = await openInboundFeed(url('hr2'), 'grants');
    const producer = client().producer();
    await producer.connect();
    let arrived: () => void = () => {};
    const consuming = feed.consume(async (messages) => {
      for (const { bytes } of messages) seen.push(Buffer.from(bytes).toString());
      arrived();
    }, stop.signal);
    const until = async (text: string) => {
      while (!seen.includes(text)) await new Promise<void>((resolve) => (arrived = resolve));
    };
    await producer.send({ topic: 'hr2', messages: [{ value: 'before' }] });
    await until('before');
    await producer.disconnect();
    await kafka.stop(0);
    await kafka.start();
    const again = client().producer();
    await again.connect();
    await again.send({ topic: 'hr2', messages: [{ value: 'after' }] });
    await until('after');
    await again.disconnect();
    stop.abort();
    await consuming;
  });

  /** Everything handed over until `enough` says so. */
  const consume = async (topic: string, enough: (text: string, seen: readonly string[]) => boolean) => {
    const seen: string[] = [];
    const stop = new AbortController();
    await using feed = await openInboundFeed(url(topic), 'grants');
    await feed.consume(async (messages) => {
      for (const { bytes, headers } of messages) {
        assert.equal(headers['kind'], 'test');
        const text = Buffer.from(bytes).toString();
        seen.push(text);
        // Aborted behind this turn, so that this message is still committed.
        if (enough(text, seen)) setTimeout(() => stop.abort(), 500);
      }
    }, stop.signal);
    return seen;
  };
});
