/** What other systems sent and what is not settled yet: events that are due later, and events in quarantine. */
import { assertNever } from '../assert-never.ts';
import type { FactOf } from '../facts/fact.ts';
import type { NativeEvent } from '../facts/inbound.ts';
import { layered } from './layers.ts';

export type Scheduled = {
  readonly id: string;
  /** RFC 3339. */
  readonly due: string;
  /** RFC 3339: when the source said it. */
  readonly said: string;
  readonly event: NativeEvent;
  readonly correlation: string;
  readonly by: string;
  readonly recorded: string;
};

export type Quarantined = {
  readonly id: string;
  /** Where the original bytes are kept. */
  readonly from: string;
  readonly position: string;
  readonly why: string;
  readonly digest: string;
  readonly event?: { readonly source: string; readonly id: string } | undefined;
  readonly recorded: string;
};

export type InboxFact = FactOf<
  | 'postern.event.scheduled.v1'
  | 'postern.event.unscheduled.v1'
  | 'postern.event.quarantined.v1'
  | 'postern.event.released.v1'
>;

export class Inbox {
  readonly scheduled: Map<string, Scheduled>;
  readonly quarantined: Map<string, Quarantined>;
  #next: number | undefined;

  constructor(under?: Inbox) {
    this.scheduled = layered(under?.scheduled);
    this.quarantined = layered(under?.quarantined);
    this.#next = under === undefined ? undefined : under.#next;
  }

  /** When the next one is due, in ms since the epoch; Infinity where nothing waits. */
  nextDue(): number {
    if (this.#next === undefined) {
      this.#next = Number.POSITIVE_INFINITY;
      for (const { due } of this.scheduled.values()) this.#next = Math.min(this.#next, Date.parse(due));
    }
    return this.#next;
  }

  /** What is due at `now` (ms since the epoch), as it happened. */
  due(now: number): Scheduled[] {
    if (this.nextDue() > now) return [];
    return [...this.scheduled.values()]
      .filter(({ due }) => Date.parse(due) <= now)
      .sort((a, b) => Date.parse(a.due) - Date.parse(b.due) || Date.parse(a.said) - Date.parse(b.said));
  }

  apply(fact: InboxFact): void {
    switch (fact.type) {
      case 'postern.event.scheduled.v1': {
        const { due, event } = fact.data;
        this.scheduled.set(fact.id, {
          id: fact.id,
          due,
          said: fact.inboundtime ?? fact.recordedtime,
          event,
          correlation: fact.correlationid,
          by: fact.authid,
          recorded: fact.recordedtime,
        });
        if (this.#next !== undefined) this.#next = Math.min(this.#next, Date.parse(due));
        return;
      }
      case 'postern.event.unscheduled.v1':
        this.scheduled.delete(fact.data.scheduled);
        this.#next = undefined;
        return;
      case 'postern.event.quarantined.v1':
        this.quarantined.set(fact.id, { id: fact.id, ...fact.data, recorded: fact.recordedtime });
        return;
      case 'postern.event.released.v1':
        this.quarantined.delete(fact.data.quarantined);
        return;
      default:
        assertNever(fact);
    }
  }
}
