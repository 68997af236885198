/** From bytes and headers to CloudEvents to commands: the same for HTTP and for a Kafka topic. */
import { createHash } from 'node:crypto';
import { type Actor, canonicalJson, Problem } from '@postern/schemas';
import { type CloudEventV1, HTTP } from 'cloudevents';
import type { Commands, Done } from '../commands.ts';
import { type InboundEvent, toCommand } from './to-command.ts';

export type Received = { readonly event: InboundEvent; readonly done: Done; readonly ignored: readonly string[] };

/** Structured, binary or batch mode, told apart by the headers. Throws `grants/bad-event`. */
export const readEvents = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Uint8Array,
): InboundEvent[] => {
  const text = decode(body);
  try {
    const read = HTTP.toEvent({ headers: { ...headers }, body: text });
    const events = (Array.isArray(read) ? read : [read]) as CloudEventV1<unknown>[];
    for (const event of events)
      if (event.specversion !== '1.0')
        throw new Error(`specversion is ${JSON.stringify(event.specversion)}, not "1.0"`);
    return events.map(({ id, source, type, subject, time, data }) => ({
      id,
      source,
      type,
      subject,
      time: instantOf(time),
      data,
    }));
  } catch (error) {
    throw new Problem('grants/bad-event', {
      detail: error instanceof Error ? error.message : String(error),
      fix: 'Send content-type application/cloudevents+json (one event), application/cloudevents-batch+json (several), or ce-* headers with the data as body.',
      cause: error,
    });
  }
};

/** Carries one event out; a repeated (source, id) answers as the first time. Rejects with the refusal's Problem. */
export const receive = async (
  event: InboundEvent,
  commands: Commands,
  actor: Actor,
  now: string,
): Promise<Received> => {
  const { command, ignored } = toCommand(event, now);
  const digest = createHash('sha256')
    .update(canonicalJson({ type: event.type, subject: event.subject, data: event.data }))
    .digest('base64url');
  const done = await commands({
    command,
    actor,
    occurred: event.time,
    correlation: event.id,
    causation: event.id,
    inbound: { source: event.source, id: event.id, digest },
  });
  return { event, done, ignored };
};

const decode = (body: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new Problem('grants/bad-event', { detail: 'the body is not UTF-8', cause: error });
  }
};

/** RFC 3339 in UTC; the CloudEvents library leaves odd dates as they are. */
const instantOf = (time: string | undefined): string | undefined => {
  if (time === undefined) return undefined;
  const parsed = new Date(time);
  if (Number.isNaN(parsed.getTime())) throw new Error(`time is ${JSON.stringify(time)}, not an RFC 3339 instant`);
  return parsed.toISOString();
};
