/**
 * JSON Web Tokens of the configured issuers. Each issuer pins its algorithms (all asymmetric), audience and types; what is not
 * pinned here is not accepted. A verified token is kept until it runs out, by the digest of the whole token.
 */
import type { Clock } from '@postern/runtime';
import type { Issuer } from '@postern/schemas';
import { jwtVerify } from 'jose';
import { readCanonicalJwt } from './canonical-jwt.ts';
import type { Caller, Identity } from './identity.ts';
import { type IssuerKeys, issuerKeys, KeysUnavailable, type ReadDocument } from './issuer-keys.ts';
import { toIdentity } from './to-identity.ts';
import { tokenDigest } from './token-digest.ts';

/** Longer than any header may be anyway. */
const tokenLengthMax = 16_000;
const verifiedTokensMax = 20_000;

type Trusted = { readonly issuer: Issuer; readonly keys: IssuerKeys };
type Verified = { readonly caller: Caller; readonly trusted: Trusted; readonly keysVersion: number };

export type JwtIdentifier = {
  readonly identify: (token: string) => Identity | Promise<Identity>;
  /** Takes the issuers anew; every kept token is verified again. */
  readonly configure: (issuers: readonly Issuer[]) => void;
};

export const jwtIdentifier = (clock: Clock, issuers: readonly Issuer[], read?: ReadDocument): JwtIdentifier => {
  let trusted = new Map<string, Trusted>();
  /** By digest of the whole token. The entry names the issuer's configuration it was verified under: another one, another look. */
  const verified = new Map<string, Verified>();
  const configure = (all: readonly Issuer[]): void => {
    trusted = new Map(all.map((issuer) => [issuer.issuer, { issuer, keys: issuerKeys(issuer, clock, read) }]));
    verified.clear();
  };
  configure(issuers);

  const remember = (digest: string, entry: Verified): void => {
    if (verified.size >= verifiedTokensMax) for (const oldest of verified.keys()) if (verified.delete(oldest)) break;
    verified.set(digest, entry);
  };
  const verify = async (token: string, digest: string): Promise<Identity> => {
    const canonical = readCanonicalJwt(token);
    if ('why' in canonical) return { kind: 'bad', why: canonical.why };
    const by = trusted.get(canonical.issuer);
    if (by === undefined) return { kind: 'bad', why: 'its issuer is not trusted here' };
    // Taken before: keys that change meanwhile cost another look, never a look too few.
    const keysVersion = by.keys.version();
    const { issuer } = by;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, by.keys.get, {
        algorithms: [...issuer.algorithms],
        issuer: issuer.issuer,
        audience: [...issuer.audience],
        clockTolerance: issuer.clockSkewSeconds,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp'],
      });
      if (!typeAccepted(protectedHeader.typ, issuer.typ))
        return { kind: 'bad', why: `a token of type ${protectedHeader.typ ?? 'none'} is not accepted` };
      const read = toIdentity(payload, issuer, clock.now());
      if (read.kind === 'caller' && trusted.get(issuer.issuer) === by)
        remember(digest, { caller: read, trusted: by, keysVersion });
      return read;
    } catch (error) {
      if (error instanceof KeysUnavailable) return { kind: 'undecidable', why: error.message };
      return { kind: 'bad', why: error instanceof Error ? error.message : 'it is no token' };
    }
  };

  return {
    configure,
    identify: (token) => {
      if (token.length > tokenLengthMax) return { kind: 'bad', why: 'it is too long' };
      const digest = tokenDigest(token);
      const kept = verified.get(digest);
      if (kept !== undefined) {
        const { keys } = kept.trusted;
        keys.refresh();
        const current = kept.keysVersion === keys.version() && keys.believed();
        if (current && clock.now() < (kept.caller.expiresAtMs ?? 0)) return kept.caller;
        verified.delete(digest);
      }
      return verify(token, digest);
    },
  };
};

/** RFC 7515 §4.1.9: types are compared without case, and "application/" may be left out. */
const typeAccepted = (typ: string | undefined, accepted: readonly string[]): boolean => {
  if (typ === undefined) return accepted.includes('none');
  const short = (text: string): string => text.toLowerCase().replace(/^application\//, '');
  return accepted.some((each) => each !== 'none' && short(each) === short(typ));
};
