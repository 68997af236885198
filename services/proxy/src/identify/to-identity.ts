/** The claims of a token that is known to be its issuer's: from its own text, or from the issuer's answer about it. */
import { encodeId, type Issuer, PrincipalId } from '@postern/schemas';
import { readBinding } from './binding.ts';
import { type Claims, readAuthentication, readScopes } from './claims.ts';
import { type Identity, toCaller } from './identity.ts';
import { subjectIn, unmetClaim } from './subject.ts';

/** Agents acting for agents acting for a person: deeper than this is a mistake or an attack. */
const actorsMax = 5;

export const toIdentity = (claims: Claims, issuer: Issuer, nowMs: number): Identity => {
  const skewMs = issuer.clockSkewSeconds * 1_000;
  const { iat, exp, cnf } = claims;
  if (!isInstant(iat) || !isInstant(exp)) return { kind: 'bad', why: 'its times cannot be read' };
  if (iat !== undefined && iat * 1_000 > nowMs + skewMs) return { kind: 'bad', why: 'it was issued in the future' };
  const toPrincipal = (claim: unknown, type = issuer.subject.type): PrincipalId | undefined => {
    if (typeof claim !== 'string') return undefined;
    try {
      return PrincipalId.parse(`${type}:${encodeId(claim)}`);
    } catch {
      return undefined;
    }
  };
  const unmet = unmetClaim(claims, issuer.require);
  if (unmet !== undefined)
    return { kind: 'bad', why: `its claim ${unmet} is not one that its issuer's tokens need here` };
  const named = subjectIn(claims, issuer.subject);
  if ('why' in named) return { kind: 'bad', why: named.why };
  const principal = toPrincipal(named.name);
  if (principal === undefined) return { kind: 'bad', why: 'what it names cannot be an id' };
  const actors: PrincipalId[] = [];
  for (let act: unknown = claims['act']; act !== undefined; act = (act as { act?: unknown }).act) {
    const actor =
      typeof act === 'object' && act !== null
        ? toPrincipal((act as { sub?: unknown }).sub, issuer.actors?.type)
        : undefined;
    if (actor === undefined || actors.length >= actorsMax) return { kind: 'bad', why: 'its claim act cannot be read' };
    actors.push(actor);
  }
  const binding = readBinding(cnf, issuer);
  if (binding === 'unreadable') return { kind: 'bad', why: 'it is bound in a way that cannot be checked here' };
  if (issuer.dpop.required && binding?.keyThumbprint === undefined)
    return { kind: 'bad', why: 'tokens of its issuer have to be bound to a key, and it is not' };
  const scopes = readScopes(claims, issuer.scopes);
  return toCaller({
    principal,
    actors,
    ...readAuthentication(claims),
    ...(scopes !== undefined && { scopes }),
    ...(binding !== undefined && { binding }),
    // A token that does not say when it was issued is older than any revocation.
    issuedAtMs: (iat ?? 0) * 1_000,
    ...(exp !== undefined && { expiresAtMs: exp * 1_000 + skewMs }),
  });
};

/** RFC 7519 §2: a number of seconds. JSON can write numbers that no clock reaches, which would be tokens without an end. */
const isInstant = (value: unknown): value is number | undefined =>
  value === undefined || (typeof value === 'number' && value >= 0 && value <= 8_640_000_000_000);
