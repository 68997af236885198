/** A topic of an HR or identity system: each message is taken or goes to quarantine with its reason; none blocks the next. */
import type { InboundFeed, InboundMessage } from '@postern/event-log';
import type { Logger } from '@postern/runtime';
import { isProblem, systemActor } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Part } from '../inbound/cloud-event.ts';
import type { Intake } from './intake.ts';
import type { Quarantine } from './quarantine.ts';

export type Topic = { readonly feed: InboundFeed; readonly rule?: string | undefined };

export type TopicDeps = { readonly intake: Intake; readonly quarantine: Quarantine; readonly log: Logger };

/** Resolves when `signal` aborts. Failures of ours reject in the handler, and the message comes again: what of it was taken is known. */
export const consumeTopic = (
  { feed, rule }: Topic,
  { intake, quarantine, log }: TopicDeps,
  signal: AbortSignal,
): Promise<void> =>
  feed.consume(async (message) => {
    const { topic, position, bytes } = message;
    const headers = asHttpHeaders(message);
    const told = (why: string) => log.warn({ topic, position, why }, 'an inbound event was quarantined');
    let parts: readonly Part[];
    try {
      parts = intake.read({ headers, bytes, rule });
    } catch (error) {
      if (!isProblem(error) || error.status >= 500) throw error;
      told(error.message);
      const kept = contentHeaders(headers);
      await quarantine.setAside({ from: topic, position, bytes, why: error.message, headers: kept, rule });
      return;
    }
    for (const [index, part] of parts.entries()) {
      const place = parts.length === 1 ? position : `${position}/${index + 1}`;
      const origin = {
        from: topic,
        position: place,
        actor: systemActor(`feed/${topic}`),
        carrier: traceOf(message),
      };
      const taken = await intake.take(part, origin, rule);
      if (taken.outcome === 'quarantined') told(taken.problem.message);
    }
  }, signal);

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
