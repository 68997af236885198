/** Break-glass: at once, for a short time, by whom the role allows it to, and looked at afterwards by somebody else. */
import { type BreakGlassId, durationMs, type GrantId, type Organisation, type SubjectId } from '@postern/schemas';
import { asApprover, breakGlassReviewers, decidesForOneself, standsFor } from './approvers.ts';
import type { Decided, Decider } from './command.ts';
import { because, draft, facts, refused, wholeSecond } from './drafts.ts';
import { conflictOfDuties } from './duties.ts';
import { tooMany, unknownRole, unknownSubject } from './grants.ts';

const usualDuration = '1h';

export const openBreakGlass: Decider<'open-break-glass'> = (
  { role, deciding, duration, reason, ticket },
  organisation,
  at,
) => {
  const { principal, through } = deciding;
  const subject = principal as unknown as SubjectId;
  const unknown = unknownSubject(organisation, subject) ?? unknownRole(organisation, role);
  if (unknown) return unknown;
  const rules = organisation.roles.get(role)?.breakGlass;
  const as =
    through.length > 0
      ? undefined
      : rules?.for.find((named) => standsFor(organisation, named, principal, { subject, role }, at.now));
  if (rules === undefined || as === undefined)
    return refused('grants/no-break-glass', {
      detail:
        rules === undefined
          ? `${role} cannot be taken in an emergency`
          : `${role} is for ${rules.for.join(', ')} in an emergency, in their own name`,
      fix: 'Ask for the role instead: postern request.',
    });
  const open = organisation.life.breakGlass
    .all()
    .find((use) => use.subject === principal && use.role === role && organisation.grants.has(use.grant));
  if (open !== undefined)
    return refused('grants/already-held', { detail: `${principal} has ${role} by break-glass until ${open.until}` });
  const longest = rules.maxDuration ?? usualDuration;
  if (durationMs(duration ?? longest) > durationMs(longest))
    return refused('grants/too-long', { detail: `${role} is given for at most ${longest} in an emergency` });
  const until = wholeSecond(Date.parse(at.now) + durationMs(duration ?? longest));
  const refusal = conflictOfDuties(organisation, subject, role) ?? tooMany(organisation, subject, role, { until });
  if (refusal) return refusal;
  const use = at.newId() as BreakGlassId;
  const grant = at.newId() as GrantId;
  const why = { reason, ...(ticket !== undefined && { ticket }) };
  return facts(
    draft(
      'postern.breakglass.opened.v1',
      principal,
      { use, subject: principal, role, grant, as, until, ...why },
      at,
      use,
    ),
    draft(
      'postern.grant.issued.v1',
      principal,
      { grant, subject, role, conditions: { until }, origin: 'break-glass', ...why, breakGlass: use },
      at,
      grant,
    ),
  );
};

export const closeBreakGlass: Decider<'close-break-glass'> = ({ use: id, by, reason }, organisation, at) => {
  const use = organisation.life.breakGlass.get(id);
  if (use === undefined || !organisation.grants.has(use.grant)) return unknownUse(id, 'is open');
  if (use.subject !== by)
    return refused('grants/not-your-decision', {
      detail: `it is ${use.subject}'s`,
      fix: `To take it from somebody else, revoke its grant: postern revoke ${use.grant}.`,
    });
  const { subject, role, grant } = use;
  return facts(
    draft(
      'postern.breakglass.closed.v1',
      subject,
      { use: id, subject, role, because: 'given-back', ...because(reason) },
      at,
    ),
    draft(
      'postern.grant.revoked.v1',
      subject,
      { grant, subject: subject as unknown as SubjectId, role, reason: reason ?? 'break-glass given back' },
      at,
    ),
  );
};

/** Says of what has ended otherwise that it has. */
export const settleBreakGlass: Decider<'settle-break-glass'> = (_command, organisation, at) =>
  facts(
    ...organisation.life.breakGlass
      .all()
      .filter(({ closed, grant }) => closed === undefined && !organisation.grants.has(grant))
      .map(({ id, subject, role, until }) =>
        draft(
          'postern.breakglass.closed.v1',
          subject,
          { use: id, subject, role, because: Date.parse(until) <= Date.parse(at.now) ? 'ran-out' : 'revoked' },
          at,
        ),
      ),
  );

export const reviewBreakGlass: Decider<'review-break-glass'> = (
  { use: id, deciding, verdict, reason },
  organisation,
  at,
) => {
  const use = organisation.life.breakGlass.get(id);
  if (use === undefined || use.review !== undefined) return unknownUse(id, 'waits for its review');
  const oneself = decidesForOneself(organisation, deciding, [use.subject]);
  if (oneself) return oneself;
  const as = reviewsAs(organisation, use, deciding.principal, at.now);
  if (as === undefined)
    return refused('grants/not-your-decision', {
      detail: `break-glass of ${use.role} is reviewed by ${breakGlassReviewers(organisation.roles.get(use.role)).join(', ')}`,
      fix: 'Ask one of them.',
    });
  const { subject, role, grant } = use;
  const live = organisation.grants.has(grant);
  return facts(
    draft(
      'postern.breakglass.reviewed.v1',
      subject,
      { use: id, subject, role, by: deciding.principal, as, verdict, reason },
      at,
    ),
    // Whoever finds it unjustified while it lasts, ends it.
    ...(live && verdict === 'unjustified'
      ? [
          draft('postern.breakglass.closed.v1', subject, { use: id, subject, role, because: 'revoked' as const }, at),
          draft(
            'postern.grant.revoked.v1',
            subject,
            { grant, subject: subject as unknown as SubjectId, role, reason },
            at,
          ),
        ]
      : []),
  );
};

export const reviewsAs = (
  organisation: Organisation,
  { subject, role }: { readonly subject: string; readonly role: Parameters<typeof organisation.roles.get>[0] },
  person: Parameters<typeof asApprover>[2],
  now: string,
): string | undefined =>
  asApprover(
    organisation,
    { approvers: breakGlassReviewers(organisation.roles.get(role)) },
    person,
    { subject: subject as SubjectId, role },
    now,
  )[0];

const unknownUse = (id: BreakGlassId, what: string): Decided =>
  refused('grants/unknown-break-glass', {
    detail: `no use of break-glass ${id} ${what}`,
    fix: 'List them: postern break-glass list.',
  });
