/** Erasing somebody, and what keeps it from being done. */
import { HoldId, holdsErasure, holdText } from '@postern/schemas';
import type { Decider } from './command.ts';
import { draft, facts, refused } from './drafts.ts';

export const eraseSubject: Decider<'erase-subject'> = (
  { subject, texts, profile, reason, ticket },
  organisation,
  at,
) => {
  const holds = [...organisation.privacy.holds.values()].filter((hold) => holdsErasure(hold, subject));
  if (holds.length > 0)
    return refused('grants/held', {
      detail: `${subject}: ${holds.map(holdText).join('; ')}`,
      fix: 'Erase once the hold is lifted (postern holds list says who placed it, and why).',
      members: { holds: holds.map(({ id }) => id) },
    });
  if (organisation.principals.get(subject)?.state === 'active')
    return refused('grants/still-active', {
      detail: `${subject} is still here`,
      fix: 'End their access first (a leaver event, or SCIM), then erase what is kept of them.',
    });
  const why = { reason, ...(ticket !== undefined && { ticket }) };
  return facts(draft('postern.subject.erased.v1', subject, { subject, texts: { ...texts }, profile, ...why }, at));
};

export const placeHold: Decider<'place-hold'> = ({ on, reason, ticket }, _organisation, at) => {
  const id = at.newId();
  const data = { hold: HoldId.parse(id), on, reason, ...(ticket !== undefined && { ticket }) };
  return facts(draft('postern.hold.placed.v1', on.subject, data, at, id));
};

export const liftHold: Decider<'lift-hold'> = ({ hold, reason, ticket }, { privacy }, at) => {
  const found = privacy.holds.get(hold);
  if (found === undefined) return refused('grants/unknown-hold', { detail: hold });
  const data = { hold, reason, ...(ticket !== undefined && { ticket }) };
  return facts(draft('postern.hold.lifted.v1', found.on.subject, data, at));
};
