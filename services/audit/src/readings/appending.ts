/** The audit room's own facts: appended behind the head of the log, each once. */
import type { AuditReader } from '@postern/audit-store';
import type { EventLog } from '@postern/event-log';
import type { Clock } from '@postern/runtime';
import { type Actor, type FactDraft, type FactOf, type FactType, isProblem, systemActor } from '@postern/schemas';
import { v7 } from 'uuid';

type OwnType = Extract<FactType, `postern.${'audit' | 'logging' | 'retention'}.${string}`>;

/** A fact that the audit room itself has to tell. */
export const ownFact = <Type extends OwnType>(
  clock: Clock,
  type: Type,
  data: FactOf<Type>['data'],
  actor: Actor = systemActor('audit'),
): FactDraft => {
  const id = v7({ msecs: clock.now() });
  const now = new Date(clock.now()).toISOString();
  return {
    id,
    source: '/postern/audit',
    type,
    time: now,
    recordedtime: now,
    correlationid: id,
    ...actor,
    data,
  } as FactDraft;
};

export type OwnFacts = {
  /** Resolves once they are in the log; rejects where it is away, and then the same drafts may be given again. */
  readonly append: (drafts: readonly FactDraft[]) => Promise<void>;
};

/** Somebody always wins a round; these facts rest on nothing that another fact could change, so they are never decided again. */
const roundsMax = 50;

export const ownFacts = (facts: Pick<EventLog['facts'], 'head' | 'append'>, reader: AuditReader): OwnFacts => {
  // Appends of which no answer came, by the id of their first fact: where the head of the log was when that was noticed.
  const unsure = new Map<string, number>();

  /** Whether an append that got no answer took place; rejects while the record does not reach far enough to say so. */
  const tookPlace = async (id: string): Promise<boolean> => {
    const since = unsure.get(id);
    if (since === undefined) return false;
    const { size, rows } = await reader.find('facts', { id, limit: 1 });
    if (rows.length === 0 && size < since) throw new Error(`the record does not reach fact ${since} yet`);
    unsure.delete(id);
    return rows.length > 0;
  };

  return {
    append: async (drafts) => {
      const [first] = drafts;
      if (first === undefined || (await tookPlace(first.id))) return;
      let head = await facts.head();
      for (let round = 0; round < roundsMax; round++) {
        try {
          const appended = await facts.append(head, drafts);
          if (appended.outcome === 'appended') return;
          ({ head } = appended);
        } catch (error) {
          if (isProblem(error, 'event-log/outcome-unknown')) {
            unsure.set(first.id, Number.POSITIVE_INFINITY);
            unsure.set(first.id, await facts.head());
          }
          throw error;
        }
      }
      throw new Error(`others were first ${roundsMax} times`);
    },
  };
};
