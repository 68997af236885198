/** Joiner, mover, leaver. */
import {
  type Attributes,
  afterAll,
  type Claim,
  canonicalJson,
  type Organisation,
  outcomeOf,
  type PrincipalId,
  withClaim,
} from '@postern/schemas';
import { birthrights } from './birthrights.ts';
import type { Circumstances, Decided, Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';
import { arrivals, endedBefore } from './edges-in-time.ts';

/** Without a time of its own a joined event says "as of now", and then it must not change somebody who is here: a moved event does. */
export const join: Decider<'join'> = ({ principal, attributes, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  if (at.said === undefined && known?.state === 'active' && !same(known.attributes, attributes))
    return refused('grants/already-joined', {
      detail: `${principal} has joined with other attributes`,
      fix: 'Send a moved event to change them, or say in the event’s time since when they are so.',
    });
  return claimed(principal, { kind: 'joined', attributes }, reason, organisation, at);
};

/** New birthrights are given and old ones taken in the same append: there is never a moment with neither or with both. */
export const move: Decider<'move'> = ({ principal, attributes, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  if (at.said === undefined && known === undefined) return unknownPrincipal(principal);
  if (at.said === undefined && known?.state === 'left')
    return refused('grants/has-left', {
      detail: `${principal} left at sequence ${known.since}`,
      fix: 'Send a joined event first.',
    });
  return claimed(principal, { kind: 'moved', attributes }, reason, organisation, at);
};

export const leave: Decider<'leave'> = ({ principal, reason }, organisation, at) => {
  if (at.said === undefined && !organisation.principals.has(principal)) return unknownPrincipal(principal);
  return claimed(principal, { kind: 'left' }, reason, organisation, at);
};

/**
 * What a claim changes, by the time it holds for: an older one than what stands changes nothing and is kept as said; whoever left stays
 * gone when it turns out that they had joined before.
 */
const claimed = (
  principal: PrincipalId,
  claim: Claim,
  reason: string | undefined,
  organisation: Organisation,
  at: Circumstances,
): Decided => {
  const known = organisation.principals.get(principal);
  const before = organisation.claims.of(principal, known);
  const when =
    at.said === undefined
      ? afterAll(before, Date.parse(at.now))
      : { effective: Date.parse(at.occurred), said: Date.parse(at.said) };
  const { state, attributes } = outcomeOf(withClaim(before, claim, when, { firm: at.said !== undefined }));
  if (state === 'active' && known?.state !== 'active') {
    const all = claim.kind === 'joined' && same(claim.attributes, attributes);
    const data = { principal, attributes, ...(all ? {} : { claim }), ...because(reason) };
    const given = birthrights(organisation, principal, attributes, at);
    return facts(
      draft('postern.principal.joined.v1', principal, data, at),
      ...given,
      ...arrivals(organisation, principal, at, given),
    );
  }
  if (state === 'active' && known !== undefined && !same(known.attributes, attributes)) {
    const data = { principal, before: known.attributes, after: attributes, claim, ...because(reason) };
    return facts(
      draft('postern.principal.moved.v1', principal, data, at),
      ...birthrights(organisation, principal, attributes, at),
    );
  }
  if (state === 'left' && known?.state !== 'left') return gone(principal, reason, organisation, at);
  // Nothing to change; but what a source said is weighed against what others will say.
  return at.inbound === undefined
    ? nothing
    : facts(
        draft('postern.principal.claimed.v1', principal, { principal, claim }, at),
        ...(claim.kind === 'left' && state === 'active' ? endedBefore(organisation, principal, when, at) : []),
      );
};

/** Everything the leaver holds is taken back by name, so that each revocation can be found in the record. */
const gone = (
  principal: PrincipalId,
  reason: string | undefined,
  organisation: Organisation,
  at: Circumstances,
): Decided => {
  const why = reason ?? 'the holder left';
  return facts(
    draft('postern.principal.left.v1', principal, { principal, ...because(reason) }, at),
    ...organisation
      .credentialsOf(principal)
      .map(({ id }) => draft('postern.credential.revoked.v1', id, { credential: id, reason: 'the owner left' }, at)),
    ...organisation
      .grantsOf(principal)
      .map(({ id, role }) =>
        draft('postern.grant.revoked.v1', principal, { grant: id, subject: principal, role, reason: why }, at),
      ),
  );
};

const same = (one: Attributes, other: Attributes): boolean => canonicalJson(one) === canonicalJson(other);

/** Somebody whom others say to be gone too stays gone. */
export const reinstate: Decider<'reinstate'> = ({ principal, source, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  const theirs = known?.state === 'left' && known.leftBy.every((each) => each === source);
  if (!theirs)
    return facts(
      draft(
        'postern.event.noted.v1',
        principal,
        {
          type: 'postern.person.joined.v1',
          why: known?.state === 'left' ? 'others say too that they left' : 'they have not left',
        },
        at,
      ),
    );
  return claimed(principal, { kind: 'joined', attributes: known.attributes }, reason, organisation, at);
};

export const note: Decider<'note'> = ({ type, why }, _organisation, at) =>
  facts(draft('postern.event.noted.v1', undefined, { type, why }, at));

export const revokeSessions: Decider<'revoke-sessions'> = (
  { principal, before, evenUnknown, addressesOf, reason },
  organisation,
  at,
) => {
  if (evenUnknown !== true && !organisation.principals.has(principal)) return unknownPrincipal(principal);
  const standing = organisation.sessionsRevokedBefore.get(principal) ?? 0;
  const stands = standing >= Date.parse(before);
  if (stands && addressesOf === undefined) return nothing;
  const data = {
    principal,
    // What is refused already stays refused.
    before: stands ? new Date(standing).toISOString() : before,
    ...(addressesOf !== undefined && { addressesOf }),
    ...because(reason),
  };
  return facts(draft('postern.session.revoked.v1', principal, data, at));
};

const unknownPrincipal = (principal: PrincipalId) =>
  refused('grants/unknown-principal', {
    detail: `${principal} is not known here`,
    fix: 'Send a postern.person.joined.v1 event for it first.',
  });
