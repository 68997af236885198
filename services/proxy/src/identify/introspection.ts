/**
 * Tokens that say nothing by themselves: their issuer is asked about each (RFC 7662), once for all who bring the same one at the
 * same time, and what it says is kept by the token's digest until its end, but never for long. An issuer that does not answer makes
 * the request undecidable; nobody is let through on an old answer.
 */
import type { Clock } from '@postern/runtime';
import type { Introspection, Issuer } from '@postern/schemas';
import { type Ask, askAbout } from './ask-issuer.ts';
import type { Claims } from './claims.ts';
import type { Identity } from './identity.ts';
import { toIdentity } from './to-identity.ts';
import { tokenDigest } from './token-digest.ts';

/** Longer texts are no tokens. */
const tokenLengthMax = 16_000;
/** Questions under way at one issuer; further tokens are undecided. */
const questionsMax = 256;

type Asked = Issuer & { readonly introspection: Introspection };
type Kept = { readonly identity: Identity; readonly untilMs: number };
/** One issuer, and what it has said. */
type Known = {
  readonly issuer: Asked;
  readonly good: Map<string, Kept>;
  readonly refused: Map<string, Kept>;
  readonly underWay: Map<string, Promise<Identity>>;
};

export type OpaqueIdentifier = {
  /** Undefined where the token is none that anybody is asked about. */
  readonly identify: (token: string) => Identity | Promise<Identity> | undefined;
  /** Takes the issuers anew; every token is asked about again. */
  readonly configure: (issuers: readonly Issuer[]) => void;
};

/** A JWT is verified here by its issuer's keys, and shown to nobody. */
const jwtText = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

export const opaqueIdentifier = (clock: Clock, issuers: readonly Issuer[], ask: Ask = askAbout): OpaqueIdentifier => {
  let all: readonly Known[] = [];
  const configure = (next: readonly Issuer[]): void => {
    all = next
      .filter((issuer): issuer is Asked => issuer.introspection !== undefined)
      .map((issuer) => ({ issuer, good: new Map(), refused: new Map(), underWay: new Map() }))
      .sort((a, b) => prefixOf(b.issuer).length - prefixOf(a.issuer).length);
  };
  configure(issuers);

  const keep = (kept: Map<string, Kept>, digest: string, identity: Identity, forMs: number, max: number): void => {
    if (forMs <= 0) return;
    kept.delete(digest);
    if (kept.size >= max) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
    kept.set(digest, { identity, untilMs: clock.elapsed() + forMs });
  };
  const question = async ({ issuer, good, refused }: Known, token: string, digest: string): Promise<Identity> => {
    const { introspection } = issuer;
    const answer = await ask(introspection, token);
    if ('unanswered' in answer)
      return { kind: 'undecidable', why: `${issuer.issuer} cannot be asked about the token: ${answer.unanswered}` };
    const identity = judge(answer.claims, issuer, clock.now());
    if (identity.kind !== 'caller')
      keep(refused, digest, identity, introspection.refusedCacheSeconds * 1_000, introspection.cachedMax);
    else {
      const lastsMs = (identity.expiresAtMs ?? Number.POSITIVE_INFINITY) - clock.now();
      keep(good, digest, identity, Math.min(lastsMs, introspection.cacheSeconds * 1_000), introspection.cachedMax);
    }
    return identity;
  };
  const found = (kept: Map<string, Kept>, digest: string): Identity | undefined => {
    const entry = kept.get(digest);
    if (entry === undefined) return undefined;
    if (clock.elapsed() < entry.untilMs && !hasEnded(entry.identity, clock.now())) return entry.identity;
    kept.delete(digest);
    return undefined;
  };

  return {
    configure,
    identify: (token) => {
      if (all.length === 0 || jwtText.test(token)) return undefined;
      const known = all.find(({ issuer }) => token.startsWith(prefixOf(issuer)));
      if (known === undefined) return undefined;
      if (token.length > tokenLengthMax) return { kind: 'bad', why: 'it is too long' };
      const digest = tokenDigest(token);
      const said = found(known.good, digest) ?? found(known.refused, digest);
      if (said !== undefined) return said;
      const waiting = known.underWay.get(digest);
      if (waiting !== undefined) return waiting;
      if (known.underWay.size >= questionsMax)
        return { kind: 'undecidable', why: `${known.issuer.issuer} is asked about too many tokens at once` };
      const asked = question(known, token, digest).finally(() => known.underWay.delete(digest));
      known.underWay.set(digest, asked);
      return asked;
    },
  };
};

const prefixOf = ({ introspection }: Asked): string => introspection.prefix ?? '';
const hasEnded = (identity: Identity, nowMs: number): boolean =>
  identity.kind === 'caller' && identity.expiresAtMs !== undefined && nowMs >= identity.expiresAtMs;

/** RFC 7662 §2.2: all but `active` may be missing, so what has to be there is said by the configuration. */
const judge = (claims: Claims, issuer: Asked, nowMs: number): Identity => {
  const { active, iss, aud, exp, nbf } = claims;
  const skewMs = issuer.clockSkewSeconds * 1_000;
  if (active !== true) return { kind: 'bad', why: 'its issuer says that it is not active' };
  if (iss !== undefined && iss !== issuer.issuer) return { kind: 'bad', why: 'it is of another issuer' };
  const audiences = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
  const meant = audiences.some((each) => typeof each === 'string' && issuer.audience.includes(each));
  if (!meant && (aud !== undefined || issuer.introspection.audienceRequired))
    return { kind: 'bad', why: 'it is not for this audience' };
  if (typeof exp === 'number' && exp * 1_000 + skewMs <= nowMs) return { kind: 'bad', why: 'it has run out' };
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf * 1_000 > nowMs + skewMs))
    return { kind: 'bad', why: 'it does not count yet' };
  return toIdentity(claims, issuer, nowMs);
};
