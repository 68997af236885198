/** Events in quarantine: released once, by whoever applied or gave them up. */
import type { Decider } from './command.ts';
import { because, draft, facts, refused } from './drafts.ts';

export const releaseQuarantined: Decider<'release-quarantined'> = (
  { quarantined, outcome, fixed, reason },
  organisation,
  at,
) => {
  const found = organisation.inbox.quarantined.get(quarantined);
  if (found === undefined)
    return refused('grants/unknown-quarantined', {
      detail: `nothing in quarantine has the id ${quarantined}`,
      fix: 'List what is there with postern feeds quarantine list.',
    });
  const data = { quarantined, outcome, ...(fixed !== undefined && { fixed }), ...because(reason) };
  return facts(draft('postern.event.released.v1', undefined, data, at));
};
