/**
 * What other systems send, from whichever side it comes: read, translated where it is foreign, carried out; and what cannot be is set
 * aside with its reason. Each event stands or falls alone, so nothing blocks what is behind it.
 */
import type { Clock } from '@postern/runtime';
import { type Actor, isProblem, type Problem } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Commands } from '../commands.ts';
import { type InboundEvent, type Part, readEvents } from '../inbound/cloud-event.ts';
import { type Received, receive } from '../inbound/receive.ts';
import type { Mappings } from './mappings.ts';
import { digestOf, type Quarantine } from './quarantine.ts';

export type Origin = {
  readonly from: string;
  /** The place of a message in a topic; left out, the content stands for it. */
  readonly position?: string;
  readonly actor: Actor;
  readonly carrier?: Carrier | undefined;
};

export type Taken = { readonly event?: { readonly source: string; readonly id: string } } & (
  | { readonly outcome: 'taken'; readonly received: readonly Received[] }
  /** It does not get better by being sent again; it lies in quarantine under `id`. */
  | { readonly outcome: 'quarantined'; readonly problem: Problem; readonly id: string }
);

export type Message = {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Uint8Array;
  /** The rule of feeds.yaml that reads it; left out, it is a CloudEvent. */
  readonly rule?: string | undefined;
};

/** How an event is known from here on, where that is not by its own source, id and content. */
export type Known = {
  /** Its digest, where it has this source and id. */
  readonly content?: { readonly source: string; readonly id: string; readonly digest: string } | undefined;
  /** Its own source and id were used up when it was scheduled. */
  readonly under?: { readonly source: string; readonly id: string } | undefined;
};

export type IntakeDeps = {
  readonly commands: Commands;
  readonly quarantine: Quarantine;
  readonly mappings: Mappings;
  readonly clock: Clock;
};

export type Intake = {
  /** Its parts in order. Throws `grants/bad-event` where the whole cannot be read. */
  readonly read: (message: Message) => readonly Part[];
  /** Rejects for failures of ours alone (the log is away): then it is to be handed over again. */
  readonly take: (part: Part, origin: Origin, rule?: string) => Promise<Taken>;
  /** As `take`, with nothing set aside: rejects with the problem. */
  readonly carryOut: (part: Part, origin: Origin, rule?: string, as?: Known) => Promise<readonly Received[]>;
};

export const intake = ({ commands, quarantine, mappings, clock }: IntakeDeps): Intake => {
  const nativeOf = async (part: Part, rule: string | undefined): Promise<readonly InboundEvent[]> => {
    if (part.outcome === 'unreadable') throw part.problem;
    if (rule !== undefined) return mappings.map(mappings.named(rule), part.event.data);
    const { event } = part;
    const foreign = event.type.startsWith('postern.') ? undefined : mappings.forType(event.type);
    return foreign === undefined ? [event] : mappings.map(foreign, event, event);
  };

  const carryOut: Intake['carryOut'] = async (part, { actor, carrier }, rule, as) => {
    const received: Received[] = [];
    for (const event of await nativeOf(part, rule)) {
      const now = new Date(clock.now()).toISOString();
      const { source, id, digest } = as?.content ?? {};
      const own = source === event.source && id === event.id ? digest : undefined;
      received.push(await receive(event, { commands, actor, now, carrier, digest: own, under: as?.under }));
    }
    return received;
  };

  return {
    read: ({ headers, bytes, rule }) => (rule === undefined ? readEvents(headers, bytes) : [foreignPart(bytes)]),
    carryOut,
    take: async (part, origin, rule) => {
      const event = part.outcome === 'read' && rule === undefined ? idOf(part.event) : undefined;
      try {
        return { outcome: 'taken', received: await carryOut(part, origin, rule), ...(event && { event }) };
      } catch (error) {
        if (!isProblem(error) || error.status >= 500) throw error;
        const { bytes, headers } = part;
        const { from } = origin;
        // Of a batch in a topic each event has a place of its own.
        const position = origin.position ?? digestOf(Buffer.concat([Buffer.from(JSON.stringify(headers)), bytes]));
        const id = await quarantine.setAside({ from, position, bytes, why: error.message, event, headers, rule });
        return { outcome: 'quarantined', problem: error, id, ...(event && { event }) };
      }
    },
  };
};

const idOf = ({ source, id }: InboundEvent) => ({ source, id });

/** Any JSON, as the data of an event that only the rule gives a meaning. */
const foreignPart = (bytes: Uint8Array): Part => {
  const [part] = readEvents(
    {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '-',
      'ce-source': '-',
      'ce-type': '-',
    },
    bytes,
  );
  return { ...(part as Part), bytes, headers: { 'content-type': 'application/json' } };
};
