/**
 * From a command to facts in the log: decide on the state at the head, append behind exactly that head, and when somebody else
 * was faster, decide again on what they wrote. Nothing is locked, so any number of instances may run.
 */
import type { EventLog } from '@postern/event-log';
import type { Clock } from '@postern/runtime';
import {
  type Actor,
  type Fact,
  type FactDraft,
  isProblem,
  Problem,
  type Sequence,
  systemActor,
} from '@postern/schemas';
import { attributes, type Carrier, spans, type Telemetry } from '@postern/telemetry';
import { v7 } from 'uuid';
import type { Circumstances, Command, Decided } from './decide/command.ts';
import { decide } from './decide/decide.ts';
import { draft, facts } from './decide/drafts.ts';
import { inAppends } from './in-appends.ts';
import type { GrantsState } from './state.ts';

export type Order = {
  readonly command: Command;
  readonly actor?: Actor;
  /** RFC 3339: when it happened, as the source says. */
  readonly occurred?: string | undefined;
  /** RFC 3339: when the source said it; left out where it names no time at all. */
  readonly said?: string | undefined;
  readonly correlation?: string | undefined;
  readonly causation?: string | undefined;
  /** The trace it goes on in, where that is not the one under way. */
  readonly carrier?: Carrier | undefined;
  readonly inbound?: { readonly source: string; readonly id: string; readonly digest: string } | undefined;
};

export type Done = {
  /** The last fact that the command wrote; where it wrote none, the sequence it was decided on. */
  readonly sequence: Sequence;
  readonly facts: readonly Fact[];
  /** This (source, id) was handled before; `facts` are those of the first time. */
  readonly repeated: boolean;
};

/** Rejects with the refusal's Problem, or with the log's. */
export type Commands = (order: Order) => Promise<Done>;

/** With compare-and-append somebody always wins a round, so losing this often means something else is wrong. */
export const attemptsMax = 50;

export type CommandsDeps = {
  readonly facts: EventLog['facts'];
  readonly state: GrantsState;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly turns: Turns;
};

/** One at a time in this process: two commands of our own would only race each other. */
export type Turns = <Result>(work: () => Promise<Result>) => Promise<Result>;
export const turns = (): Turns => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => {});
    return result;
  };
};

export const commandHandler = (deps: CommandsDeps): Commands => {
  const { telemetry, turns } = deps;
  return (order) =>
    telemetry.span(
      spans.command,
      {
        attributes: { [attributes.factType]: order.command.kind },
        ...(order.carrier !== undefined && { parent: order.carrier }),
      },
      () => turns(() => carryOut(order, deps)),
    );
};

const carryOut = async (order: Order, { facts: log, state, clock, telemetry }: CommandsDeps): Promise<Done> => {
  const correlation = correlationOf(order, clock);
  const written: Fact[] = [];
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const trouble = state.notReady();
    if (trouble !== undefined) throw new Problem('event-log/unreachable', { detail: trouble });
    const repeated = order.inbound && (await repetition(order.inbound, state));
    if (repeated) return repeated;
    const head = state.organisation.sequence;
    const circumstances = circumstancesOf(order, correlation, { clock, telemetry });
    const decided = noted(decide(order.command, state.organisation, circumstances), order, circumstances);
    if (decided.outcome === 'refused') throw decided.problem;
    if (decided.outcome === 'nothing') return { sequence: head, facts: written, repeated: false };
    let at = head;
    let lost = false;
    for (const drafts of appendsOf(order.command, decided.facts, state)) {
      const appended = await append(log, at, drafts);
      await state.reached(appended.head);
      at = appended.head;
      lost = appended.outcome !== 'appended';
      if (appended.outcome !== 'appended') break;
      written.push(...appended.entries.flatMap(({ fact }) => fact ?? []));
    }
    if (!lost) return { sequence: at, facts: written, repeated: false };
  }
  throw new Problem('grants/contended', { detail: `lost ${attemptsMax} rounds`, fix: 'Send it again.' });
};

export const correlationOf = (order: Order, clock: Clock): string =>
  order.correlation ?? order.inbound?.id ?? v7({ msecs: clock.now() });

export const circumstancesOf = (
  order: Order,
  correlation: string,
  { clock, telemetry }: Pick<CommandsDeps, 'clock' | 'telemetry'>,
): Circumstances => {
  const now = new Date(clock.now()).toISOString();
  return {
    now,
    occurred: order.occurred ?? now,
    said: order.said,
    actor: order.actor ?? systemActor('grants'),
    newId: () => v7({ msecs: clock.now() }),
    correlation,
    causation: order.causation,
    // Of many that are carried out together each goes on in its own trace.
    traceparent: telemetry.carrier()['traceparent'] ?? order.carrier?.['traceparent'],
    inbound: order.inbound,
  };
};

/** An event that asks for what is so already leaves its id all the same: the next one of that id is the same, or a conflict. */
export const noted = (decided: Decided, { command, inbound }: Order, at: Circumstances): Decided =>
  decided.outcome === 'nothing' && command.kind === 'apply-event' && inbound !== undefined
    ? facts(
        draft(
          'postern.event.noted.v1',
          command.event.subject,
          { type: command.event.type, why: 'it is so already' },
          at,
        ),
      )
    : decided;

/** Whatever is no matter of birthrights belongs together, however large: then it is refused for its size. */
const appendsOf = ({ kind }: Command, drafts: readonly FactDraft[], { organisation }: GrantsState) =>
  kind === 'define-role' || kind === 'publish-model' ? inAppends(drafts, organisation) : [drafts];

/** An unknown outcome is found out by reading on: a repetition of the order then meets its own facts. */
export const append = async (
  facts: EventLog['facts'],
  head: Sequence,
  drafts: Parameters<EventLog['facts']['append']>[1],
) => {
  try {
    return await facts.append(head, drafts);
  } catch (error) {
    if (!isProblem(error, 'event-log/outcome-unknown')) throw error;
    const reached = await facts.head();
    if (reached > head) return { outcome: 'lost' as const, head: reached };
    throw error;
  }
};

const repetition = async (
  { source, id, digest }: NonNullable<Order['inbound']>,
  state: GrantsState,
): Promise<Done | undefined> => {
  const before = state.handled(source, id);
  if (before === undefined) return undefined;
  if (before.digest !== digest) throw conflictOf({ source, id }, before.sequence);
  return { sequence: before.last, facts: await state.recall(source, id), repeated: true };
};

/** `sequence`: where the other one was written; undefined where that has only just come. */
export const conflictOf = (
  { source, id }: { readonly source: string; readonly id: string },
  sequence: Sequence | undefined,
): Problem =>
  new Problem(source.startsWith('/postern/') ? 'grants/idempotency-conflict' : 'grants/event-conflict', {
    detail: `${source} sent the id ${id} before${sequence === undefined ? '' : `, at sequence ${sequence}`}, with other content`,
    fix: 'Give every new event or request an id of its own.',
  });
