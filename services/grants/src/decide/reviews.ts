/** Campaigns: opened over what is live, decided item by item, closed by what was declared at the opening. */
import {
  type FactDraft,
  type GrantId,
  grantsInScope,
  type Organisation,
  type PrincipalId,
  type Review,
  type ReviewId,
  type ReviewItem,
} from '@postern/schemas';
import { decidesForOneself, standsFor } from './approvers.ts';
import type { Circumstances, Decided, Decider } from './command.ts';
import { draft, facts, nothing, refused } from './drafts.ts';
import { peopleBehind } from './duties.ts';
import { revocation } from './grants.ts';

/** Grant ids in one fact: well below the limit of the log. */
const listedMax = 1_000;

export const openReview: Decider<'open-review'> = (command, organisation, at) => {
  const { title, scope, reviewer, escalateTo, due, undecided, only } = command;
  const now = Date.parse(at.now);
  const left = Date.parse(due) - now;
  if (left <= 0) return refused('grants/bad-request', { detail: `due (${due}) has passed already` });
  const inScope = [...grantsInScope(organisation, scope)];
  const chosen = only === undefined ? inScope : inScope.filter(({ id }) => only.has(id));
  if (chosen.length === 0)
    return refused('grants/nothing-to-review', { detail: 'no live grant is in the scope', fix: 'Name another scope.' });
  const review = at.newId() as ReviewId;
  const listed: FactDraft[] = [];
  if (only !== undefined)
    for (let from = 0; from < chosen.length; from += listedMax) {
      const grants = chosen.slice(from, from + listedMax).map(({ id }) => id);
      listed.push(draft('postern.review.listed.v1', `review:${review}`, { review, grants }, at));
    }
  return facts(
    draft(
      'postern.review.opened.v1',
      `review:${review}`,
      {
        review,
        title,
        scope,
        frozenAt: organisation.sequence,
        reviewer,
        escalateTo,
        reminds: new Date(now + left / 2).toISOString(),
        escalates: new Date(now + (left * 3) / 4).toISOString(),
        due: new Date(Date.parse(due)).toISOString(),
        undecided,
        items: chosen.length,
        ...(listed.length > 0 && { listed: true as const }),
      },
      at,
      review,
    ),
    ...listed,
  );
};

/** Whose turn it is: the reviewer, or whoever the campaign falls back on. */
export const reviewerOf = (
  organisation: Organisation,
  { reviewer, escalateTo }: Review,
  { grant, manager }: ReviewItem,
): string => {
  const named =
    reviewer === 'manager' ? manager : reviewer === 'owner' ? organisation.roles.get(grant.role)?.owner : reviewer;
  const away =
    named?.startsWith('user:') === true &&
    (organisation.principals.get(named as PrincipalId)?.state !== 'active' ||
      [...peopleBehind(organisation, grant.subject)].includes(named as PrincipalId));
  return named === undefined || away ? escalateTo : named;
};

export const hasEscalated = ({ escalates, escalated }: Review, now: string): boolean =>
  escalated || Date.parse(now) >= Date.parse(escalates);

/** As whom the person may decide about the item; undefined where it is for others to. */
export const mayDecideAs = (
  organisation: Organisation,
  review: Review,
  item: ReviewItem,
  person: PrincipalId,
  now: string,
): string | undefined => {
  if ([...peopleBehind(organisation, item.grant.subject)].includes(person)) return undefined;
  const turn = reviewerOf(organisation, review, item);
  const named = hasEscalated(review, now) ? [turn, review.escalateTo] : [turn];
  return named.find((each) => standsFor(organisation, each, person, item.grant, now));
};

export const decideReview: Decider<'decide-review'> = (
  { review: id, decisions, deciding, reason },
  organisation,
  at,
) => {
  const review = organisation.life.reviews.get(id);
  const refusal = notOpen(review, id);
  if (review === undefined || refusal) return refusal ?? nothing;
  const drafts: FactDraft[] = [];
  for (const { grant, decision, until } of decisions) {
    const item = review.items.get(grant);
    if (item === undefined || item.decided !== undefined)
      return refused('grants/not-under-review', {
        detail: `the grant ${grant} ${item === undefined ? 'is no part of this campaign' : 'has been decided about'}`,
        fix: 'List what is open: postern review show.',
      });
    const oneself = decidesForOneself(organisation, deciding, [...peopleBehind(organisation, item.grant.subject)]);
    if (oneself) return oneself;
    const as = mayDecideAs(organisation, review, item, deciding.principal, at.now);
    if (as === undefined)
      return refused('grants/not-your-decision', {
        detail: `about ${item.grant.subject} and ${item.grant.role} decides ${reviewerOf(organisation, review, item)}`,
        fix: 'Leave it to them.',
      });
    const decided = decisionOf(organisation, review, item, { decision, until, by: deciding.principal, as, reason }, at);
    if (!Array.isArray(decided)) return decided as Decided;
    drafts.push(...decided);
  }
  return facts(...drafts);
};

type Decision = {
  readonly decision: 'keep' | 'revoke' | 'shorten';
  readonly until?: string | undefined;
  readonly by: PrincipalId | 'policy';
  readonly as: string;
  readonly reason: string;
};

export const decisionOf = (
  organisation: Organisation,
  { id: review }: Review,
  { grant: { id: grant, subject, role } }: ReviewItem,
  { decision, until, by, as, reason }: Decision,
  at: Circumstances,
): FactDraft[] | Decided => {
  const live = organisation.grants.get(grant);
  const decided = draft(
    'postern.review.decided.v1',
    subject,
    { review, grant, subject, role, decision, by, as, ...(until !== undefined && { until }), reason },
    at,
  );
  if (decision === 'keep' || live === undefined) return [decided];
  const revoked = revocation(organisation, live, { reason, review }, at);
  if (decision === 'revoke') return [decided, ...revoked];
  const before = live.conditions?.until;
  if (
    until === undefined ||
    Date.parse(until) <= Date.parse(at.now) ||
    (before !== undefined && Date.parse(until) >= Date.parse(before))
  )
    return refused('grants/bad-request', {
      detail: `shortened to ${until ?? 'no end'}, the grant ${grant}${before === undefined ? '' : ` (until ${before})`} would not be shorter, or over already`,
      fix: 'Name an end in the future that lies before its own, or revoke it.',
    });
  if (live.origin === 'birthright')
    return refused('grants/bad-request', {
      detail: `the grant ${grant} is a birthright: it follows attributes and has no end`,
      fix: 'Keep it, revoke it, or change the birthright of the role.',
    });
  const shorter = at.newId() as GrantId;
  const { request, approvals, ticket, origin, conditions } = live;
  return [
    decided,
    draft(
      'postern.grant.issued.v1',
      subject,
      {
        grant: shorter,
        subject,
        role,
        conditions: { ...conditions, until },
        origin,
        reason: live.reason,
        ...(ticket !== undefined && { ticket }),
        ...(request !== undefined && { request }),
        ...(approvals !== undefined && { approvals: [...approvals] }),
        replaces: grant,
      },
      at,
      shorter,
    ),
    ...revoked,
  ];
};

export const openItems = (organisation: Organisation, review: Review): ReviewItem[] =>
  [...review.undecidedItems].flatMap((grant) => {
    const item = review.items.get(grant);
    return item !== undefined && organisation.grants.has(grant) ? [item] : [];
  });

export const notOpen = (review: Review | undefined, id: ReviewId): Decided | undefined =>
  review === undefined
    ? refused('grants/unknown-review', { detail: `there is no campaign ${id}`, fix: 'List them: postern review list.' })
    : review.closed === undefined
      ? undefined
      : refused('grants/review-closed', { detail: `it was closed at ${review.closed.time}` });
