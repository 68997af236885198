/** Joiner, mover, leaver. */
import {
  type Attributes,
  canonicalJson,
  type FactDraft,
  type GrantId,
  type Organisation,
  type PrincipalId,
  type RoleRules,
} from '@postern/schemas';
import type { Circumstances, Decider } from './command.ts';
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

/** Does this person's department, title and so on give them the role? */
export const isBirthright = ({ birthright }: RoleRules, attributes: Attributes): boolean =>
  birthright !== undefined &&
  Object.entries(birthright).every(([name, value]) => attributes[name as keyof Attributes] === value);

/** The grants to issue and revoke so that exactly the birthrights of these attributes are held. */
export const birthrights = (
  organisation: Organisation,
  principal: PrincipalId,
  attributes: Attributes,
  at: Circumstances,
): FactDraft[] => {
  const held = organisation.grantsOf(principal).filter(({ origin }) => origin === 'birthright');
  const due = [...organisation.roles].filter(([, rules]) => isBirthright(rules, attributes)).map(([role]) => role);
  const attributesText = (rules: RoleRules | undefined) =>
    Object.entries(rules?.birthright ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  return [
    ...held
      .filter(({ role }) => !due.includes(role))
      .map(({ id, role }) =>
        draft(
          'postern.grant.revoked.v1',
          principal,
          {
            grant: id,
            subject: principal,
            role,
            reason: `no longer a birthright: ${attributesText(organisation.roles.get(role))}`,
          },
          at,
        ),
      ),
    ...due
      .filter((role) => !held.some((grant) => grant.role === role))
      .map((role) => {
        const id = at.newId() as GrantId;
        return draft(
          'postern.grant.issued.v1',
          principal,
          {
            grant: id,
            subject: principal,
            role,
            origin: 'birthright',
            reason: `birthright: ${attributesText(organisation.roles.get(role))}`,
          },
          at,
          id,
        );
      }),
  ];
};
