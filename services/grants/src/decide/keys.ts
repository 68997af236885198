/** API keys: narrower than their owner. A key's own roles are its scopes; both the owner and the key must hold what is asked. */
import type { CredentialId, GrantId, Organisation, RoleName, SubjectId } from '@postern/schemas';
import type { Circumstances, Decider } from './command.ts';
import { because, draft, facts, refused } from './drafts.ts';
import { unknownRole, unknownSubject } from './grants.ts';

export const issueKey: Decider<'issue-key'> = (
  { credential, owner, digest, roles, until, reason },
  organisation,
  at,
) => {
  const refusal =
    unknownSubject(organisation, owner) ??
    roles.map((role) => unknownRole(organisation, role)).find((each) => each !== undefined);
  if (refusal) return refusal;
  return facts(
    draft(
      'postern.credential.issued.v1',
      credential,
      { credential, owner, digest, ...(until !== undefined && { until }), reason },
      at,
    ),
    ...roles.map((role) => scope(credential, role, reason, at)),
  );
};

const scope = (credential: CredentialId, role: RoleName, reason: string, at: Circumstances) => {
  const grant = at.newId() as GrantId;
  const subject = credential as unknown as SubjectId;
  return draft('postern.grant.issued.v1', credential, { grant, subject, role, origin: 'key', reason }, at, grant);
};

/** The successor may do what the key may, no more; both work until the overlap ends. */
export const rotateKey: Decider<'rotate-key'> = (
  { credential, successor, digest, overlapMs, until, reason },
  organisation,
  at,
) => {
  const live = organisation.credentials.get(credential);
  if (live === undefined || isOver(live.until, at.now))
    return refused('grants/unknown-credential', { detail: `${credential} is not live` });
  if (live.successor !== undefined)
    return refused('grants/already-rotated', {
      detail: `${credential} is followed by ${live.successor}`,
      fix: 'Rotate that one, or revoke it and issue a new key.',
    });
  const gone = unknownSubject(organisation, live.owner);
  if (gone) return gone;
  const now = Date.parse(at.now);
  const before = live.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(live.until);
  // A key that was given for a time is followed by one for as long a time.
  const lasting =
    until ?? (live.until === undefined ? undefined : new Date(now + (before - Date.parse(live.issued))).toISOString());
  const roles = [...new Set(organisation.grantsOf(credential).map(({ role }) => role))];
  return facts(
    draft(
      'postern.credential.issued.v1',
      successor,
      {
        credential: successor,
        owner: live.owner,
        digest,
        ...(lasting !== undefined && { until: lasting }),
        replaces: credential,
        reason,
      },
      at,
    ),
    ...roles.map((role) => scope(successor, role, reason, at)),
    draft(
      'postern.credential.rotated.v1',
      credential,
      { credential, successor, until: new Date(Math.min(before, now + overlapMs)).toISOString(), reason },
      at,
    ),
  );
};

/** Cleans up; the gate has refused the key since `until`. */
export const expireKeys: Decider<'expire-keys'> = (_command, organisation, at) =>
  facts(
    ...over(organisation, at.now)
      .slice(0, 500)
      .map(({ id, until }) => draft('postern.credential.expired.v1', id, { credential: id, until }, at)),
  );

const dayMs = 86_400_000;
/** A week ahead, or a quarter of a shorter life; nobody needs to be told of keys that are made for a day. */
const warnedAheadMs = (lifeMs: number): number => (lifeMs < 2 * dayMs ? 0 : Math.min(7 * dayMs, lifeMs / 4));

/** Says once of each key that its end is near, unless another one follows it. */
export const warnOfKeys: Decider<'warn-of-keys'> = (_command, { credentials }, at) => {
  const now = Date.parse(at.now);
  const near = [...credentials.values()].flatMap(({ id, owner, until, issued, successor, warned }) => {
    if (until === undefined || successor !== undefined || warned === true || isOver(until, at.now)) return [];
    const end = Date.parse(until);
    return end - now <= warnedAheadMs(end - Date.parse(issued)) ? [{ credential: id, owner, until }] : [];
  });
  return facts(...near.slice(0, 500).map((data) => draft('postern.credential.expiring.v1', data.credential, data, at)));
};

const over = ({ credentials }: Organisation, now: string) =>
  [...credentials.values()].flatMap(({ id, until }) =>
    until !== undefined && isOver(until, now) ? [{ id, until }] : [],
  );
const isOver = (until: string | undefined, now: string): boolean =>
  until !== undefined && Date.parse(until) <= Date.parse(now);

export const revokeKey: Decider<'revoke-key'> = ({ credential, reason }, organisation, at) => {
  if (!organisation.credentials.has(credential))
    return refused('grants/unknown-credential', { detail: `${credential} is not live` });
  return facts(draft('postern.credential.revoked.v1', credential, { credential, ...because(reason) }, at));
};
