/** Legal holds that stand, and who was erased up to where. A part of the one fold. */
import type { Fact } from '../facts/fact.ts';
import type { HoldScope } from '../facts/privacy.ts';
import type { HoldId, PrincipalId, Sequence } from '../ids.ts';
import { layered } from './layers.ts';

export type Hold = {
  readonly id: HoldId;
  readonly on: HoldScope;
  readonly reason: string;
  readonly ticket?: string;
  readonly by: string;
  /** RFC 3339. */
  readonly placed: string;
  readonly sequence: Sequence;
};

export class Privacy {
  readonly holds: Map<HoldId, Hold>;
  /** The last time that each was erased: what was kept of facts before this sequence is gone. */
  readonly erased: Map<PrincipalId, Sequence>;

  constructor(under?: Privacy) {
    this.holds = layered(under?.holds);
    this.erased = layered(under?.erased);
  }

  take(fact: Fact, sequence: Sequence): void {
    if (fact.type === 'postern.subject.erased.v1') this.erased.set(fact.data.subject, sequence);
    else if (fact.type === 'postern.hold.lifted.v1') this.holds.delete(fact.data.hold);
    else if (fact.type === 'postern.hold.placed.v1') {
      const { hold, on, reason, ticket } = fact.data;
      this.holds.set(hold, {
        id: hold,
        on,
        reason,
        ...(ticket !== undefined && { ticket }),
        by: fact.authid,
        placed: fact.recordedtime,
        sequence,
      });
    }
  }
}

/** What is kept of a person hangs on facts of all times, so a hold on a time keeps it as well, unless it is on the decisions alone. */
export const holdsErasure = ({ on }: Pick<Hold, 'on'>, subject: PrincipalId): boolean =>
  on.log !== 'decisions' && (on.subject === undefined || on.subject === subject);

export const holdText = ({ id, on }: Pick<Hold, 'id' | 'on'>): string => {
  const { subject, log, from, until } = on;
  const what = [subject, log && `the ${log}`, from && `from ${from}`, until && `until ${until}`].filter(Boolean);
  return `hold ${id} on ${what.length === 0 ? 'everything' : what.join(', ')}`;
};
