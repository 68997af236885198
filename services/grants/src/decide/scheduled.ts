/**
 * Events that are due later: they wait as facts, in the fold of everybody who reads the log. Whoever enacts one appends, in one append,
 * what it asks for and that it no longer waits; behind the head that it was decided on, so it is enacted once, however many try.
 */
import type { NativeEvent, Organisation, Scheduled } from '@postern/schemas';
import { toCommand } from '../inbound/to-command.ts';
import type { Circumstances, Command, Decided, Decider, EventCommand } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';

type Decide = (command: Command, organisation: Organisation, at: Circumstances) => Decided;
type Kind<Name extends Command['kind']> = Extract<Command, { kind: Name }>;

export const applyEvent = (
  decide: Decide,
  { event, inner, due, replaces }: Kind<'apply-event'>,
  organisation: Organisation,
  at: Circumstances,
): Decided => {
  const others = inTheWay(organisation, event, replaces, inner, due ?? at.now);
  const said = Date.parse(at.said ?? at.now);
  const newer = others.find((other) => other.event.id !== replaces && Date.parse(other.said) > said);
  if (newer !== undefined)
    return facts(
      draft(
        'postern.event.noted.v1',
        event.subject,
        { type: event.type, why: `a newer one waits: source ${newer.event.source}, id ${newer.event.id}` },
        at,
      ),
    );
  const by = { source: event.source, id: event.id };
  const replaced = others.map((other) =>
    draft('postern.event.unscheduled.v1', other.event.subject, { scheduled: other.id, outcome: 'replaced', by }, at),
  );
  if (due !== undefined && Date.parse(due) > Date.parse(at.now))
    return facts(
      draft('postern.event.scheduled.v1', event.subject, { due, event }, { ...at, said: at.said ?? at.now }),
      ...replaced,
    );
  const decided = decide(inner, organisation, at);
  if (decided.outcome === 'refused' || replaced.length === 0) return decided;
  return facts(...(decided.outcome === 'facts' ? decided.facts : []), ...replaced);
};

/**
 * What this event takes the place of: what it says it replaces; and, for a leaving or a joining, the same of the same person that waits,
 * unless their opposite lies between: then it is another employment.
 */
const inTheWay = (
  { inbox }: Organisation,
  { source, id, type, subject }: NativeEvent,
  replaces: string | undefined,
  { kind }: EventCommand,
  due: string,
): Scheduled[] => {
  if (inbox.scheduled.size === 0) return [];
  const ofPerson = [...inbox.scheduled.values()].filter(
    ({ event }) => event.subject === subject && subject !== undefined,
  );
  const opposite = { join: 'postern.person.left.v1', leave: 'postern.person.joined.v1' }[kind as string];
  return [...inbox.scheduled.values()].filter((other) => {
    if (other.event.source === source && other.event.id === id) return false;
    if (replaces !== undefined && other.event.source === source && other.event.id === replaces) return true;
    if (opposite === undefined || other.event.type !== type || !ofPerson.includes(other)) return false;
    const [from, to] = [Date.parse(due), Date.parse(other.due)].sort((a, b) => a - b) as [number, number];
    return !ofPerson.some(
      (between) => between.event.type === opposite && Date.parse(between.due) >= from && Date.parse(between.due) <= to,
    );
  });
};

export const enactScheduled = (
  decide: Decide,
  { scheduled }: Kind<'enact-scheduled'>,
  organisation: Organisation,
  at: Circumstances,
): Decided => {
  const waits = organisation.inbox.scheduled.get(scheduled);
  if (waits === undefined || Date.parse(waits.due) > Date.parse(at.now)) return nothing;
  const then: Circumstances = {
    ...at,
    occurred: waits.due,
    said: waits.said,
    correlation: waits.correlation,
    causation: scheduled,
  };
  const { command } = toCommand(waits.event, waits.due);
  const decided = decide(command, organisation, then);
  if (decided.outcome === 'refused') return decided;
  return facts(
    ...(decided.outcome === 'facts' ? decided.facts : []),
    draft('postern.event.unscheduled.v1', waits.event.subject, { scheduled, outcome: 'enacted' }, then),
  );
};

export const cancelScheduled: Decider<'cancel-scheduled'> = ({ scheduled, outcome, reason }, organisation, at) => {
  const { inbox } = organisation;
  const found =
    typeof scheduled === 'string'
      ? inbox.scheduled.get(scheduled)
      : [...inbox.scheduled.values()].find(
          ({ event }) => event.source === scheduled.source && event.id === scheduled.id,
        );
  if (found === undefined)
    return refused('grants/not-scheduled', {
      detail:
        typeof scheduled === 'string'
          ? `no event waits under the id ${scheduled}`
          : `no event of source ${scheduled.source} with the id ${scheduled.id} waits`,
      fix: 'It took effect, was cancelled or replaced, or never came: postern feeds scheduled lists what waits.',
    });
  const by = at.inbound && { source: at.inbound.source, id: at.inbound.id };
  const data = { scheduled: found.id, outcome: outcome ?? 'cancelled', ...(by && { by }), ...because(reason) } as const;
  return facts(draft('postern.event.unscheduled.v1', found.event.subject, data, at));
};
