/** What becomes of a campaign in time: it reminds, it escalates, it closes by what was declared at its opening. */
import type { ReviewItem } from '@postern/schemas';
import type { Decider } from './command.ts';
import { draft, facts, nothing } from './drafts.ts';

import { decisionOf, notOpen, openItems, reviewerOf } from './reviews.ts';

/** What one append holds of it: well below the limit of the log. */
const closedMax = 400;
const remindedMax = 1_000;

/** One step: as many items as fit an append; the last one closes. Repeated until the campaign is closed. */
export const closeReview: Decider<'close-review'> = ({ review: id, reason }, organisation, at) => {
  const review = organisation.life.reviews.get(id);
  const refusal = notOpen(review, id);
  if (review === undefined || refusal) return refusal ?? nothing;
  const pending: ReviewItem[] = [];
  for (const grant of review.undecidedItems) {
    const item = review.items.get(grant);
    if (item !== undefined && organisation.grants.has(grant)) pending.push(item);
    if (pending.length > closedMax) break;
  }
  const step = pending.slice(0, closedMax);
  const decision = review.undecided;
  const decided = step.flatMap((item) => {
    const drafts = decisionOf(
      organisation,
      review,
      item,
      { decision, by: 'policy', as: `undecided: ${decision}`, reason },
      at,
    );
    return Array.isArray(drafts) ? drafts : [];
  });
  if (pending.length > step.length) return facts(...decided);
  const counts = { keep: 0, revoke: 0, shorten: 0 };
  for (const { decided: before } of review.items.values()) if (before) counts[before.decision]++;
  counts[decision] += step.length;
  const { keep: kept, revoke: revoked, shorten: shortened } = counts;
  const gone = review.items.size - kept - revoked - shortened;
  return facts(
    ...decided,
    draft('postern.review.closed.v1', `review:${id}`, { review: id, kept, revoked, shortened, gone }, at),
  );
};

/** The next thing that time asks of a campaign: remind, escalate, close. */
export const driveReviews: Decider<'drive-reviews'> = (_command, organisation, at) => {
  const now = Date.parse(at.now);
  for (const review of organisation.life.reviews.all()) {
    if (review.closed !== undefined) continue;
    const { id, due, escalates, escalated, reminds, reminded, escalateTo } = review;
    if (now >= Date.parse(due))
      return closeReview(
        { kind: 'close-review', review: id, reason: `undecided when the review was due (${due})` },
        organisation,
        at,
      );
    const open = openItems(organisation, review);
    if (open.length === 0)
      return closeReview({ kind: 'close-review', review: id, reason: 'nothing was left to decide' }, organisation, at);
    if (now >= Date.parse(escalates)) {
      if (!escalated)
        return facts(
          draft('postern.review.escalated.v1', `review:${id}`, { review: id, to: escalateTo, open: open.length }, at),
        );
    } else if (now >= Date.parse(reminds) && !reminded) {
      const waiting = new Map<string, number>();
      for (const item of open) {
        const reviewer = reviewerOf(organisation, review, item);
        waiting.set(reviewer, (waiting.get(reviewer) ?? 0) + 1);
      }
      return facts(
        ...[...waiting]
          .slice(0, remindedMax)
          .map(([reviewer, count]) =>
            draft('postern.review.reminded.v1', `review:${id}`, { review: id, reviewer, open: count }, at),
          ),
      );
    }
  }
  return nothing;
};
