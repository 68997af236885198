/** A topic of an HR or identity system: each message is taken or goes to quarantine with its reason; none blocks the next. */
import type { InboundFeed, InboundMessage } from '@postern/event-log';
import type { Logger } from '@postern/runtime';
import { isProblem, systemActor } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Part } from '../inbound/cloud-event.ts';
import type { Handed, Intake } from './intake.ts';

export type Topic = { readonly feed: InboundFeed; readonly rule?: string | undefined };

export type TopicDeps = {
  readonly intake: Intake;
  /** Called with how many messages of which topic were settled: taken, known already, or set aside. */
  readonly settled: (messages: number, topic: string) => void;
  readonly log: Logger;
};

/**
 * Resolves when `signal` aborts. What waits is taken together, each message on what those before it left. Failures of ours reject in
 * the handler, and the messages come again: what of them was taken is known.
 */
export const consumeTopic = (
  { feed, rule }: Topic,
  { intake, settled, log }: TopicDeps,
  signal: AbortSignal,
): Promise<void> =>
  feed.consume(async (messages) => {
    const handed = messages.flatMap((message) => handedOf(message, rule, intake));
    const [only] = handed;
    const taken =
      only !== undefined && handed.length === 1
        ? [await intake.take(only.part, only.origin, rule)]
        : await intake.takeAll(handed, { recall: false });
    for (const [at, each] of taken.entries())
      if (each.outcome === 'quarantined') {
        const { from, position } = handed[at]?.origin ?? {};
        log.warn({ topic: from, position, why: each.problem.message }, 'an inbound event was quarantined');
      }
    settled(messages.length, messages[0]?.topic ?? '');
  }, signal);

/** The message's events; where the whole cannot be read it is one that cannot be. */
const handedOf = (message: InboundMessage, rule: string | undefined, intake: Intake): Handed[] => {
  const { topic, position, bytes } = message;
  const headers = asHttpHeaders(message);
  const origin = { from: topic, position, actor: systemActor(`feed/${topic}`), carrier: traceOf(message) };
  let parts: readonly Part[];
  try {
    parts = intake.read({ headers, bytes, rule });
  } catch (error) {
    if (!isProblem(error) || error.status >= 500) throw error;
    return [{ part: { outcome: 'unreadable', problem: error, bytes, headers: contentHeaders(headers) }, origin, rule }];
  }
  if (parts.length === 1) return parts.map((part) => ({ part, origin, rule }));
  return parts.map((part, at) => ({ part, origin: { ...origin, position: `${position}/${at + 1}` }, rule }));
};

/** As a message's own header, or as CloudEvents' Distributed Tracing extension has it. */
const traceOf = ({ headers }: InboundMessage): Carrier | undefined => {
  const traceparent = headers['traceparent'] ?? headers['ce_traceparent'];
  return traceparent === undefined ? undefined : { traceparent };
};

const contentHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name === 'content-type' || name.startsWith('ce-')));

/** Kafka's CloudEvents binding says `ce_type` and `content-type`, HTTP's says `ce-type`: the rest is the same. */
const asHttpHeaders = ({ headers }: InboundMessage): Record<string, string> => {
  const mapped: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) mapped[name.toLowerCase().replace(/^ce_/, 'ce-')] = value;
  return {
    'content-type': mapped['ce-type'] === undefined ? 'application/cloudevents+json' : 'application/json',
    ...mapped,
  };
};
