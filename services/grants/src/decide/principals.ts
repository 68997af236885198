/** Joiner, mover, leaver. */
import { type Attributes, canonicalJson, type PrincipalId } from '@postern/schemas';
import { birthrights } from './birthrights.ts';
import type { Decider } from './command.ts';
import { because, draft, facts, nothing, refused } from './drafts.ts';

export const join: Decider<'join'> = ({ principal, attributes, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  if (known?.state === 'active')
    return canonicalJson(known.attributes) === canonicalJson(attributes)
      ? nothing
      : refused('grants/already-joined', {
          detail: `${principal} has joined with other attributes`,
          fix: 'Send a moved event to change them.',
        });
  return facts(
    draft('postern.principal.joined.v1', principal, { principal, attributes, ...because(reason) }, at),
    ...birthrights(organisation, principal, attributes, at),
  );
};

/** New birthrights are given and old ones taken in the same append: there is never a moment with neither or with both. */
export const move: Decider<'move'> = ({ principal, attributes, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  if (known === undefined) return unknownPrincipal(principal);
  if (known.state === 'left')
    return refused('grants/has-left', {
      detail: `${principal} left at sequence ${known.since}`,
      fix: 'Send a joined event first.',
    });
  const after: Attributes = { ...known.attributes, ...attributes };
  if (canonicalJson(after) === canonicalJson(known.attributes)) return nothing;
  return facts(
    draft(
      'postern.principal.moved.v1',
      principal,
      { principal, before: known.attributes, after, ...because(reason) },
      at,
    ),
    ...birthrights(organisation, principal, after, at),
  );
};

/** Everything the leaver holds is taken back by name, so that each revocation can be found in the record. */
export const leave: Decider<'leave'> = ({ principal, reason }, organisation, at) => {
  const known = organisation.principals.get(principal);
  if (known === undefined) return unknownPrincipal(principal);
  if (known.state === 'left') return nothing;
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

export const revokeSessions: Decider<'revoke-sessions'> = ({ principal, before, reason }, organisation, at) => {
  if (!organisation.principals.has(principal)) return unknownPrincipal(principal);
  if ((organisation.sessionsRevokedBefore.get(principal) ?? 0) >= Date.parse(before)) return nothing;
  return facts(draft('postern.session.revoked.v1', principal, { principal, before, ...because(reason) }, at));
};

const unknownPrincipal = (principal: PrincipalId) =>
  refused('grants/unknown-principal', {
    detail: `${principal} is not known here`,
    fix: 'Send a postern.person.joined.v1 event for it first.',
  });
