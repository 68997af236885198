/** From a native event to a command: the same for HTTP, for a Kafka topic and for what comes out of quarantine. */
import { createHash } from 'node:crypto';
import { type Actor, canonicalJson } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Commands, Done, Order } from '../commands.ts';
import type { InboundEvent } from './cloud-event.ts';
import { toCommand } from './to-command.ts';

export type Received = { readonly event: InboundEvent; readonly done: Done; readonly ignored: readonly string[] };

export type Receiving = {
  readonly actor: Actor;
  /** RFC 3339. */
  readonly now: string;
  readonly carrier?: Carrier | undefined;
  /** Stands for the event's own content: what was put right is, to its sender, still what they sent. */
  readonly digest?: string | undefined;
  /** What it is known by, in place of its own source and id. */
  readonly under?: { readonly source: string; readonly id: string } | undefined;
};

export type Ordered = { readonly event: InboundEvent; readonly order: Order; readonly ignored: readonly string[] };

/** Throws `grants/unknown-event-type` or `grants/bad-event`. */
export const toOrder = (event: InboundEvent, { actor, now, carrier, digest, under }: Receiving): Ordered => {
  const { command, data, ignored, effective, replaces } = toCommand(event, now);
  const occurred = effective ?? event.time;
  const { source, id, type, subject } = event;
  // A session ends when that becomes known: whoever says "from tomorrow on" means the tokens of until then.
  const waits = occurred !== undefined && occurred > now && command.kind !== 'revoke-sessions';
  const order: Order = {
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
  };
  return { event, order, ignored };
};

/** Carries one event out; a repeated (source, id) answers as the first time. Rejects with the refusal's Problem. */
export const receive = async (
  event: InboundEvent,
  { commands, ...receiving }: Receiving & { readonly commands: Commands },
): Promise<Received> => {
  const { order, ignored } = toOrder(event, receiving);
  return { event, done: await commands(order), ignored };
};

/** What tells two events of one (source, id) apart. The time is not part of it: some senders stamp each attempt anew. */
export const eventDigest = ({ type, subject, data }: InboundEvent): string =>
  createHash('sha256').update(canonicalJson({ type, subject, data })).digest('base64url');
