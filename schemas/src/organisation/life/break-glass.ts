/** Uses of break-glass: listed until somebody else has looked at them. */
import type { Fact, FactOf } from '../../facts/fact.ts';
import type { BreakGlassId, Sequence } from '../../ids.ts';
import { Kept } from './kept.ts';

export type BreakGlassUse = {
  readonly id: BreakGlassId;
  readonly opened: string;
  readonly openedAt: Sequence;
  readonly closed?: FactOf<'postern.breakglass.closed.v1'>['data']['because'];
  readonly review?: {
    readonly by: string;
    readonly as: string;
    readonly verdict: 'justified' | 'unjustified';
    readonly reason: string;
    readonly at: Sequence;
  };
} & Omit<FactOf<'postern.breakglass.opened.v1'>['data'], 'use'>;

export class BreakGlass {
  readonly #kept: Kept<BreakGlassId, BreakGlassUse>;

  constructor(under?: BreakGlass) {
    this.#kept = new Kept(1_000, under === undefined ? undefined : under.#kept);
  }

  get(id: BreakGlassId): BreakGlassUse | undefined {
    return this.#kept.get(id);
  }
  all(): BreakGlassUse[] {
    return [...this.#kept.all()];
  }
  unreviewed(): BreakGlassUse[] {
    return this.all().filter(({ review }) => review === undefined);
  }

  take(fact: Fact, sequence: Sequence): void {
    switch (fact.type) {
      case 'postern.breakglass.opened.v1': {
        const { use: id, ...data } = fact.data;
        this.#kept.set(id, { id, ...data, opened: fact.recordedtime, openedAt: sequence });
        return;
      }
      case 'postern.breakglass.closed.v1': {
        const use = this.#kept.get(fact.data.use);
        if (use !== undefined) this.#kept.set(use.id, { ...use, closed: fact.data.because });
        return;
      }
      case 'postern.breakglass.reviewed.v1': {
        const use = this.#kept.get(fact.data.use);
        const { by, as, verdict, reason } = fact.data;
        if (use !== undefined && use.review === undefined)
          this.#kept.end(use.id, { ...use, review: { by, as, verdict, reason, at: sequence } });
        return;
      }
      default:
    }
  }
}
