/** A topic of an HR or identity system: each message becomes a command, or goes to quarantine with its reason; none blocks the next. */
import { createHash } from 'node:crypto';
import type { EventLog, InboundFeed, InboundMessage } from '@postern/event-log';
import type { Clock, Logger } from '@postern/runtime';
import { isProblem, systemActor } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Commands } from '../commands.ts';
import { readEvents } from './cloud-event.ts';
import { receive } from './receive.ts';

export type FeedDeps = {
  readonly feed: InboundFeed;
  readonly quarantine: EventLog['quarantine'];
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Resolves when `signal` aborts. */
export const consumeFeed = ({ feed, quarantine, commands, clock, log }: FeedDeps, signal: AbortSignal): Promise<void> =>
  feed.consume(async (message) => {
    try {
      for (const event of readEvents(asHttpHeaders(message), message.bytes)) {
        const now = new Date(clock.now()).toISOString();
        await receive(event, commands, systemActor(`feed/${message.topic}`), now, traceOf(message));
      }
    } catch (error) {
      // Our own failures (the log is away) reject, and the message comes again; what is wrong with the message itself does not get better.
      if (!isProblem(error) || error.status >= 500) throw error;
      log.warn(
        { topic: message.topic, position: message.position, why: error.message },
        'an inbound event was quarantined',
      );
      await setAside(
        { from: message.topic, position: message.position, bytes: message.bytes, why: error.message },
        quarantine,
        commands,
      );
    }
  }, signal);

export type Aside = {
  readonly from: string;
  readonly position: string;
  readonly bytes: Uint8Array;
  readonly why: string;
};

/** Keeps the original bytes, and says so in a fact; the same position is recorded once. */
export const setAside = async (
  { from, position, bytes, why }: Aside,
  quarantine: EventLog['quarantine'],
  commands: Commands,
): Promise<void> => {
  const digest = createHash('sha256').update(bytes).digest('base64url');
  await quarantine.publish([
    { key: `${from}/${position}`, bytes, headers: { from, position, why: why.slice(0, 500) } },
  ]);
  await commands({
    command: { kind: 'record-quarantine', from, position, why: why.slice(0, 2000), digest },
    inbound: { source: `/postern/quarantine/${from}`, id: position, digest },
  });
};

/** As a message's own header, or as CloudEvents' Distributed Tracing extension has it. */
const traceOf = ({ headers }: InboundMessage): Carrier | undefined => {
  const traceparent = headers['traceparent'] ?? headers['ce_traceparent'];
  return traceparent === undefined ? undefined : { traceparent };
};

/** Kafka's CloudEvents binding says `ce_type` and `content-type`, HTTP's says `ce-type`: the rest is the same. */
const asHttpHeaders = ({ headers }: InboundMessage): Record<string, string> => {
  const mapped: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) mapped[name.toLowerCase().replace(/^ce_/, 'ce-')] = value;
  return {
    'content-type': mapped['ce-type'] === undefined ? 'application/cloudevents+json' : 'application/json',
    ...mapped,
  };
};
