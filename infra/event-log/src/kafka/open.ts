/** The event log on Kafka. */
import type { Carrier } from '@postern/telemetry';
import type { EventLog } from '../port.ts';
import { control } from './control.ts';
import { kafkaFacts } from './facts.ts';
import { kafkaRecords } from './records.ts';
import { sending } from './sending.ts';
import { parseKafkaUrl } from './settings.ts';
import { tail } from './tail.ts';
import { ensureTopics } from './topics.ts';

export type KafkaOptions = {
  /** The trace context of whoever writes, put on every message. */
  readonly carrier?: () => Carrier;
  /** How long an append may take before it says `event-log/outcome-unknown`. */
  readonly appendTimeoutMs?: number;
};

const pingTimeoutMs = 3_000;

export const openKafka = async (
  url: string,
  { carrier = () => ({}), appendTimeoutMs = 15_000 }: KafkaOptions = {},
): Promise<EventLog> => {
  const settings = parseKafkaUrl(url);
  const topics = await ensureTopics(settings);
  const stack = new AsyncDisposableStack();
  const closing = new AbortController();
  stack.defer(() => closing.abort());
  const closed = closing.signal;
  const questions = stack.use(control(settings));
  const end = stack.use(tail(settings, topics.facts));
  // Neither facts nor what acknowledges them queue behind batches of decisions.
  const factsSending = stack.use(sending(settings));
  const enforcementSending = stack.use(sending(settings));
  const recordsSending = stack.use(sending(settings));
  const records = (topic: string, by = recordsSending) =>
    kafkaRecords({ settings, topic, control: questions, sending: by, carrier, closed });
  return {
    facts: kafkaFacts({
      settings,
      topic: topics.facts,
      tail: end,
      control: questions,
      sending: factsSending,
      carrier,
      closed,
      appendTimeoutMs,
    }),
    decisions: records(topics.decisions),
    enforcement: records(topics.enforcement, enforcementSending),
    quarantine: records(topics.quarantine),
    ping: async () => void (await questions.offsets(topics.facts, AbortSignal.timeout(pingTimeoutMs))),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};
