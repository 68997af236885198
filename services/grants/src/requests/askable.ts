/**
 * What somebody could ask for, or take in an emergency: found by deciding it without writing anything, so that what is offered is
 * what would be taken. Roles that nobody approves are not named.
 */
import type { AccessRequest, Grant, Organisation, RoleName, SubjectId } from '@postern/schemas';
import { breakGlassReviewers, ruleOf } from '../decide/approvers.ts';
import { askForRole, longestDuration } from '../decide/asking.ts';
import { openBreakGlass } from '../decide/break-glass.ts';
import type { Circumstances, Decided, Deciding } from '../decide/command.ts';

/** Why not, in the words of the refusal; undefined where nothing stands against it. */
export type Against = { readonly code: string; readonly why: string } | undefined;

export type Askable = {
  readonly role: RoleName;
  readonly description?: string;
  readonly longest: string;
  readonly approvers: readonly string[];
  readonly approvals: number | 'all';
  readonly against?: Against;
  /** Held with an end that can be put off. */
  readonly extend?: { readonly grant: string; readonly until: string; readonly against?: Against };
  readonly waiting?: AccessRequest['id'];
  readonly breakGlass?: { readonly longest: string; readonly reviewers: readonly string[]; readonly against?: Against };
};

export const askableBy = (organisation: Organisation, deciding: Deciding, at: Circumstances): readonly Askable[] => {
  const { principal: subject } = deciding;
  const held = organisation.grantsOf(subject as unknown as SubjectId);
  return [...organisation.roles]
    .flatMap(([role, rules]) => {
      const { approvers, approvals } = ruleOf(rules);
      const ask = (more: { readonly extends?: Grant['id'] } = {}): Against =>
        againstOf(
          askForRole(
            { kind: 'ask-for-role', subject, role, requester: subject, reason: 'asking', ...more },
            organisation,
            at,
          ),
        );
      const taken = openBreakGlass({ kind: 'open-break-glass', deciding, role, reason: 'asking' }, organisation, at);
      const emergency = againstOf(taken);
      const offersBreakGlass = rules.breakGlass !== undefined && emergency?.code !== 'grants/no-break-glass';
      if (approvers.length === 0 && !offersBreakGlass) return [];
      const ending = held.find((grant) => grant.role === role && grant.origin === 'direct' && grant.conditions?.until);
      const waiting = organisation.life.requests.open().find((each) => each.subject === subject && each.role === role);
      const against = ask();
      const notLonger = ending === undefined ? undefined : ask({ extends: ending.id });
      return [
        {
          role,
          ...(rules.description !== undefined && { description: rules.description }),
          longest: rules.maxDuration ?? longestDuration,
          approvers,
          approvals,
          ...(against && { against }),
          ...(ending?.conditions?.until !== undefined && {
            extend: { grant: ending.id, until: ending.conditions.until, ...(notLonger && { against: notLonger }) },
          }),
          ...(waiting && { waiting: waiting.id }),
          ...(offersBreakGlass && {
            breakGlass: {
              longest: rules.breakGlass?.maxDuration ?? '1h',
              reviewers: breakGlassReviewers(rules),
              ...(emergency && { against: emergency }),
            },
          }),
        },
      ];
    })
    .sort((a, b) => (a.role < b.role ? -1 : 1));
};

const againstOf = (decided: Decided): Against =>
  decided.outcome === 'refused'
    ? { code: decided.problem.code, why: decided.problem.detail ?? decided.problem.message }
    : undefined;
