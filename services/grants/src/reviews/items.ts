/** A campaign's items as its reviewers see them: who holds what, since when, from whom, why, and when it was last used. */
import type { Organisation, Review, ReviewItem } from '@postern/schemas';
import { reviewerOf } from '../decide/reviews.ts';
import type { Uses } from '../reports/use.ts';

export const summaryOf = (organisation: Organisation, review: Review) => {
  const { items, undecidedItems, ...rest } = review;
  const counts = { keep: 0, revoke: 0, shorten: 0 };
  for (const { decided } of items.values()) if (decided) counts[decided.decision]++;
  const open = [...undecidedItems].filter((grant) => organisation.grants.has(grant)).length;
  return {
    ...rest,
    items: items.size,
    open: review.closed === undefined ? open : 0,
    kept: counts.keep,
    revoked: counts.revoke,
    shortened: counts.shorten,
  };
};

export const itemShown = (organisation: Organisation, review: Review, item: ReviewItem, uses: Uses | undefined) => {
  const { grant, decided, revocation } = item;
  const { id, subject, role, origin, conditions, issued, issuedAt, by, reason, ticket, request, approvals } = grant;
  return {
    grant: id,
    subject,
    role,
    ...(conditions && { conditions }),
    live: organisation.grants.has(id),
    cameAbout: {
      as: origin,
      sequence: issuedAt,
      at: issued,
      by,
      reason,
      ...(ticket !== undefined && { ticket }),
      ...(request !== undefined && { request }),
      ...(approvals && { approvals }),
    },
    ...(uses && { lastUsed: uses.ofGrant(grant) ?? 'never' }),
    ...(decided === undefined && { reviewer: reviewerOf(organisation, review, item) }),
    ...(decided && { decided }),
    ...(revocation && { revocation }),
  };
};
