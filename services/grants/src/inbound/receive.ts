/** From CloudEvents to commands: the same for HTTP and for a Kafka topic. */
import { createHash } from 'node:crypto';
import { type Actor, canonicalJson } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Commands, Done } from '../commands.ts';
import type { InboundEvent } from './cloud-event.ts';
import { toCommand } from './to-command.ts';

export type Received = { readonly event: InboundEvent; readonly done: Done; readonly ignored: readonly string[] };

/** Carries one event out; a repeated (source, id) answers as the first time. Rejects with the refusal's Problem. */
export const receive = async (
  event: InboundEvent,
  commands: Commands,
  actor: Actor,
  now: string,
  carrier?: Carrier,
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
    carrier,
    inbound: { source: event.source, id: event.id, digest },
  });
  return { event, done, ignored };
};
