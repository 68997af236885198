/**
 * What other systems send, from whichever side it comes: read, translated where it is foreign, carried out; and what cannot be is set
 * aside with its reason. Each event stands or falls alone, so nothing blocks what is behind it.
 */
import type { Clock } from '@postern/runtime';
import { type Actor, isProblem, type Problem } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Commands } from '../commands.ts';
import type { InSuccession, Step } from '../in-succession.ts';
import { type InboundEvent, type Part, readEvents } from '../inbound/cloud-event.ts';
import { type Ordered, type Received, receive, toOrder } from '../inbound/receive.ts';
import type { Mappings } from './mappings.ts';
import { type Aside, digestOf, type Quarantine } from './quarantine.ts';

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

export type Handed = { readonly part: Part; readonly origin: Origin; readonly rule?: string | undefined };

export type IntakeDeps = {
  readonly commands: Commands;
  readonly inSuccession: InSuccession;
  readonly quarantine: Quarantine;
  readonly mappings: Mappings;
  readonly clock: Clock;
};

export type Intake = {
  /** Its parts in order. Throws `grants/bad-event` where the whole cannot be read. */
  readonly read: (message: Message) => readonly Part[];
  /** Rejects for failures of ours alone (the log is away): then it is to be handed over again. */
  readonly take: (part: Part, origin: Origin, rule?: string) => Promise<Taken>;
  /**
   * Many, as if each were taken behind the one before it, and with one wait for the log. `recall`: whether what a repetition became the
   * first time is wanted.
   */
  readonly takeAll: (handed: readonly Handed[], options: { readonly recall: boolean }) => Promise<readonly Taken[]>;
  /** As `take`, with nothing set aside: rejects with the problem. */
  readonly carryOut: (part: Part, origin: Origin, rule?: string, as?: Known) => Promise<readonly Received[]>;
};

export const intake = ({ commands, inSuccession, quarantine, mappings, clock }: IntakeDeps): Intake => {
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

  const asideOf = ({ part: { bytes, headers }, origin, rule, event }: Named, problem: Problem): Aside => {
    const { from } = origin;
    // Of a batch in a topic each event has a place of its own.
    const position = origin.position ?? digestOf(Buffer.concat([Buffer.from(JSON.stringify(headers)), bytes]));
    return { from, position, bytes, why: problem.message, event, headers, rule };
  };

  /** Its events as orders, as far as they can be read. */
  const orderedOf = async ({ part, origin: { actor, carrier }, rule }: Handed) => {
    const ordered: Ordered[] = [];
    try {
      for (const event of await nativeOf(part, rule))
        ordered.push(toOrder(event, { actor, now: new Date(clock.now()).toISOString(), carrier }));
    } catch (error) {
      if (!isProblem(error) || error.status >= 500) throw error;
      return { ordered, trouble: error };
    }
    return { ordered };
  };

  return {
    read: ({ headers, bytes, rule }) => (rule === undefined ? readEvents(headers, bytes) : [foreignPart(bytes)]),
    carryOut,
    take: async (part, origin, rule) => {
      const named = { part, origin, rule, event: eventOf(part, rule) };
      const event = named.event && { event: named.event };
      try {
        return { outcome: 'taken', received: await carryOut(part, origin, rule), ...event };
      } catch (error) {
        if (!isProblem(error) || error.status >= 500) throw error;
        const id = await quarantine.setAside(asideOf(named, error));
        return { outcome: 'quarantined', problem: error, id, ...event };
      }
    },
    takeAll: async (handed, { recall }) => {
      const named = handed.map((each) => ({ ...each, event: eventOf(each.part, each.rule) }));
      const read: { readonly ordered: readonly Ordered[]; readonly trouble?: Problem }[] = [];
      for (const each of handed) read.push(await orderedOf(each));
      const steps = named.map((each, at): Step => {
        const { ordered = [], trouble } = read[at] ?? {};
        return {
          orders: ordered.map(({ order }) => order),
          trouble,
          instead: (problem) => quarantine.order(asideOf(each, problem)),
        };
      });
      const stepped = await inSuccession(steps, {
        recall,
        refused: (those) =>
          quarantine.shelve(
            those.flatMap(({ step, problem }) => {
              const each = named[step];
              return each === undefined ? [] : [asideOf(each, problem)];
            }),
          ),
      });
      return stepped.map((each, at): Taken => {
        const event = named[at]?.event && { event: named[at].event };
        if (each.outcome === 'refused') {
          quarantine.recorded(each.instead);
          return { outcome: 'quarantined', problem: each.problem, id: each.instead.facts[0]?.id ?? '', ...event };
        }
        const received = (read[at]?.ordered ?? []).flatMap(({ order: _, ...rest }, index) => {
          const done = each.done[index];
          return done === undefined ? [] : [{ ...rest, done }];
        });
        return { outcome: 'taken', received, ...event };
      });
    },
  };
};

type Named = Handed & { readonly event: { readonly source: string; readonly id: string } | undefined };

/** What it is known by, where it is a CloudEvent that can be read. */
const eventOf = (part: Part, rule: string | undefined): Named['event'] =>
  part.outcome === 'read' && rule === undefined ? idOf(part.event) : undefined;
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
