/** An HR system and the room that it tells, for tests: events in, facts and state out. Pure; used by tests only. */
import {
  type Attributes,
  type Fact,
  type FactDraft,
  type FactOf,
  type FactType,
  type LoggedFact,
  Organisation,
  type RoleName,
  RoleRules,
  sealAppend,
  systemActor,
} from '@postern/schemas';
import { toCommand } from '../inbound/to-command.ts';
import type { Command } from './command.ts';
import { decide } from './decide.ts';

export type HrEvent = {
  readonly id: string;
  readonly type: 'joined' | 'moved' | 'left';
  readonly person: string;
  /** Left out, and `said` too: the event names no time. */
  readonly effective?: string;
  readonly said?: string;
  readonly attributes?: { readonly [Name in keyof Attributes]?: Attributes[Name] | null };
  readonly replaces?: string;
};

export type TimedEvent = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Record<string, unknown>;
  readonly effective: string;
  readonly said: string;
};

export const hrRoom = (start: { readonly now: string }) => {
  const organisation = new Organisation();
  const log: (LoggedFact & { fact: Fact })[] = [];
  const seen = new Set<string>();
  let { now } = start;
  let ids = 0;
  const newId = () => `01930000-0000-7000-8000-${String(++ids).padStart(12, '0')}`;

  const append = (drafts: readonly FactDraft[]): Fact[] => {
    const entries = sealAppend(organisation.sequence, drafts) as (LoggedFact & { fact: Fact })[];
    for (const entry of entries) organisation.apply(entry);
    log.push(...entries);
    return entries.map(({ fact }) => fact);
  };
  const run = (command: Command, event: Partial<HrEvent> = {}): Fact[] => {
    const occurred = event.effective ?? event.said;
    const decided = decide(command, organisation, {
      now,
      occurred: occurred ?? now,
      said: event.said ?? occurred,
      actor: systemActor('test'),
      newId,
      correlation: 'test',
      ...(event.id !== undefined && { inbound: { source: '/hr', id: event.id, digest: '' } }),
    });
    if (decided.outcome === 'refused') throw decided.problem;
    return decided.outcome === 'nothing' ? [] : append(decided.facts);
  };

  run({
    kind: 'define-role',
    role: 'payroll-reader' as RoleName,
    rules: RoleRules.parse({
      allows: [{ endpoint: 'payroll/listEmployees' }],
      birthright: { department: 'finance' },
    }),
  });

  return {
    organisation,
    run,
    clock: (instant: string): void => {
      now = instant;
    },
    /** As the commands' handler does: the same source and id is taken once. */
    take: (event: HrEvent): Fact[] => {
      if (seen.has(event.id)) return [];
      seen.add(event.id);
      const content = {
        source: '/hr',
        id: event.id,
        type: `postern.person.${event.type}.v1`,
        subject: `user:${event.person}`,
        data: event.type === 'left' ? {} : (event.attributes ?? {}),
      };
      const { command, data } = toCommand(content, now);
      const due = event.effective ?? event.said;
      return run(
        {
          kind: 'apply-event',
          event: { ...content, data },
          inner: command,
          replaces: event.replaces,
          ...(due !== undefined && due > now && { due }),
        },
        event,
      );
    },
    /** Any native event, for a time that it says. */
    takeAny: ({ id, effective, said, ...content }: TimedEvent): Fact[] => {
      const { command, data } = toCommand({ source: '/hr', id, ...content }, now);
      const event = { source: '/hr', id, type: content.type, subject: content.subject, data };
      return run({ kind: 'apply-event', event, inner: command }, { id, effective, said });
    },
    enact: (): void => {
      for (const { id } of organisation.inbox.due(Date.parse(now)))
        run({ kind: 'enact-scheduled', scheduled: id }, { id });
    },
    /** A fact as a log may hold it, whoever decided it. */
    applied: <Type extends FactType>(type: Type, data: FactOf<Type>['data'], time: string): void => {
      append([
        {
          id: newId(),
          source: '/postern/grants',
          type,
          time,
          recordedtime: now,
          correlationid: 'test',
          ...systemActor('test'),
          data,
        } as unknown as FactDraft,
      ]);
    },
    replayed: (): Organisation => {
      const again = new Organisation();
      for (const entry of log) again.apply(entry);
      return again;
    },
  };
};

/** Who is there with which attributes, and who holds which role. */
export const inForce = (organisation: Organisation) => ({
  people: [...organisation.principals.values()]
    .map(({ id, state, attributes }) => ({ id, state, attributes }))
    .sort((a, b) => (a.id < b.id ? -1 : 1)),
  grants: [...organisation.grants.values()].map(({ subject, role }) => `${subject} ${role}`).sort(),
});
