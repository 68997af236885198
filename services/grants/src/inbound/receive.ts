/** From a native event to a command: the same for HTTP, for a Kafka topic and for what comes out of quarantine. */
import { createHash } from 'node:crypto';
import { type Actor, canonicalJson } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Commands, Done } from '../commands.ts';
import type { InboundEvent } from './cloud-event.ts';
import { toCommand } from './to-command.ts';

export type Received = { readonly event: InboundEvent; readonly done: Done; readonly ignored: readonly string[] };

export type Receiving = {
  readonly commands: Commands;
  readonly actor: Actor;
  /** RFC 3339. */
  readonly now: string;
  readonly carrier?: Carrier | undefined;
  /** Stands for the event's own content: what was put right is, to its sender, still what they sent. */
  readonly digest?: string | undefined;
  /** What it is known by, in place of its own source and id. */
  readonly under?: { readonly source: string; readonly id: string } | undefined;
};

/** Carries one event out; a repeated (source, id) answers as the first time. Rejects with the refusal's Problem. */
export const receive = async (
  event: InboundEvent,
  { commands, actor, now, carrier, digest, under }: Receiving,
): Promise<Received> => {
  const { command, data, ignored, effective, replaces } = toCommand(event, now);
  const occurred = effective ?? event.time;
  const { source, id, type, subject } = event;
  // A session ends when that becomes known: whoever says "from tomorrow on" means the tokens of until then.
  const waits = occurred !== undefined && occurred > now && command.kind !== 'revoke-sessions';
  const done = await commands({
    command: {
      kind: 'apply-event',
      event: { source, id, type, ...(subject !== undefined && { subject }), data },
      inner: command,
      ...(waits && { due: occurred }),
      replaces,
    },
    actor,
    occurred,
    said: event.time ?? (effective === undefined ? undefined : now),
    correlation: id,
    causation: id,
    carrier,
    inbound: { ...(under ?? { source, id }), digest: digest ?? eventDigest(event) },
  });
  return { event, done, ignored };
};

/** What tells two events of one (source, id) apart. The time is not part of it: some senders stamp each attempt anew. */
export const eventDigest = ({ type, subject, data }: InboundEvent): string =>
  createHash('sha256').update(canonicalJson({ type, subject, data })).digest('base64url');
