/** Campaigns: what was live when each was opened, what was decided of it, and since when that holds everywhere. */
import type { Fact, FactOf } from '../../facts/fact.ts';
import type { LoggedFact } from '../../facts/log-entry.ts';
import type { GrantId, PrincipalId, ReviewId, Sequence } from '../../ids.ts';
import { layered, layeredSet } from '../layers.ts';
import type { Grant, Standing } from '../standing.ts';
import { Kept } from './kept.ts';
import { grantsInScope } from './review-scope.ts';

export type ReviewItem = {
  /** As it was when the campaign was opened. */
  readonly grant: Grant;
  /** The holder's manager, then. */
  readonly manager?: PrincipalId;
  readonly decided?: Pick<
    FactOf<'postern.review.decided.v1'>['data'],
    'decision' | 'by' | 'as' | 'until' | 'reason'
  > & {
    readonly at: Sequence;
  };
  readonly revocation?: {
    readonly at: Sequence;
    readonly fact: string;
    readonly time: string;
    /** The fact that says that no proxy anywhere allows otherwise any more. */
    readonly enforced?: { readonly at: Sequence; readonly time: string; readonly proxies: number };
  };
};
export type Review = Omit<FactOf<'postern.review.opened.v1'>['data'], 'review' | 'items'> & {
  readonly id: ReviewId;
  readonly opened: string;
  readonly by: string;
  readonly items: ReadonlyMap<GrantId, ReviewItem>;
  readonly undecidedItems: ReadonlySet<GrantId>;
  readonly reminded: boolean;
  readonly escalated: boolean;
  readonly closed?: { readonly at: Sequence; readonly time: string; readonly by: string };
};
type Growing = Review & { items: Map<GrantId, ReviewItem>; undecidedItems: Set<GrantId> };

export class Reviews {
  readonly #kept: Kept<ReviewId, Growing>;
  /** When a grant was last looked at and kept. */
  readonly #lookedAt: Map<GrantId, Sequence>;
  #unenforced: { readonly review: ReviewId; readonly grant: GrantId; readonly at: Sequence }[];

  constructor(under?: Reviews) {
    this.#kept = new Kept(50, under === undefined ? undefined : under.#kept, (review) => ({
      ...review,
      items: layered(review.items),
      undecidedItems: layeredSet(review.undecidedItems),
    }));
    this.#lookedAt = layered(under === undefined ? undefined : under.#lookedAt);
    this.#unenforced = [...(under === undefined ? [] : under.#unenforced)];
  }

  get(id: ReviewId): Review | undefined {
    return this.#kept.get(id);
  }
  all(): Review[] {
    return [...this.#kept.all()];
  }
  lookedAt(grant: GrantId): Sequence | undefined {
    return this.#lookedAt.get(grant);
  }

  /** `before` is the organisation as it was when the fact came: what a campaign freezes. */
  take({ fact, sequence }: LoggedFact & { readonly fact: Fact }, before: Standing): void {
    switch (fact.type) {
      case 'postern.review.opened.v1': {
        const { review: id, items: _count, ...data } = fact.data;
        const opened: Growing = {
          id,
          ...data,
          opened: fact.recordedtime,
          by: fact.authid,
          items: new Map(),
          undecidedItems: new Set(),
          reminded: false,
          escalated: false,
        };
        this.#kept.set(id, opened);
        if (data.listed !== true) for (const grant of grantsInScope(before, data.scope)) freeze(opened, grant, before);
        return;
      }
      case 'postern.review.listed.v1': {
        const review = this.#kept.get(fact.data.review);
        for (const id of fact.data.grants) {
          const grant = before.grants.get(id);
          if (review !== undefined && grant !== undefined) freeze(review, grant, before);
        }
        return;
      }
      case 'postern.review.decided.v1': {
        const { review: id, grant, decision, by, as, until, reason } = fact.data;
        const review = this.#kept.get(id);
        const item = review?.items.get(grant);
        if (review === undefined || item === undefined) return;
        const decided = { decision, by, as, reason, at: sequence, ...(until !== undefined && { until }) };
        review.items.set(grant, { ...item, decided });
        review.undecidedItems.delete(grant);
        if (decision === 'keep') this.#lookedAt.set(grant, sequence);
        return;
      }
      case 'postern.grant.revoked.v1': {
        const { review: id, grant } = fact.data;
        this.#lookedAt.delete(grant);
        const review = id === undefined ? undefined : this.#kept.get(id);
        const item = review?.items.get(grant);
        if (review === undefined || item === undefined) return;
        review.items.set(grant, { ...item, revocation: { at: sequence, fact: fact.id, time: fact.recordedtime } });
        this.#unenforced.push({ review: review.id, grant, at: sequence });
        return;
      }
      case 'postern.enforcement.reached.v1':
        this.#enforced(fact, sequence);
        return;
      case 'postern.review.reminded.v1':
        this.#mark(fact.data.review, { reminded: true });
        return;
      case 'postern.review.escalated.v1':
        this.#mark(fact.data.review, { escalated: true });
        return;
      case 'postern.review.closed.v1': {
        const review = this.#kept.get(fact.data.review);
        if (review === undefined) return;
        const closed = { at: sequence, time: fact.recordedtime, by: fact.authid };
        this.#kept.end(review.id, { ...review, closed });
        return;
      }
      default:
    }
  }

  #mark(id: ReviewId, mark: Partial<Review>): void {
    const review = this.#kept.get(id);
    if (review !== undefined) this.#kept.set(id, { ...review, ...mark } as Growing);
  }

  #enforced(fact: FactOf<'postern.enforcement.reached.v1'>, sequence: Sequence): void {
    const reached = this.#unenforced.filter(({ at }) => at <= fact.data.reached);
    if (reached.length === 0) return;
    this.#unenforced = this.#unenforced.filter(({ at }) => at > fact.data.reached);
    for (const { review, grant } of reached) {
      const items = this.#kept.get(review)?.items;
      const item = items?.get(grant);
      if (item?.revocation === undefined) continue;
      const enforced = { at: sequence, time: fact.recordedtime, proxies: fact.data.proxies };
      items?.set(grant, { ...item, revocation: { ...item.revocation, enforced } });
    }
  }
}

const freeze = (review: Growing, grant: Grant, organisation: Standing): void => {
  const manager = organisation.principals.get(grant.subject as unknown as PrincipalId)?.attributes.manager;
  review.items.set(grant.id, { grant, ...(manager !== undefined && { manager }) });
  review.undecidedItems.add(grant.id);
};
