/** Who is calling, as far as the credential says; what the graph says of it comes later. */
import {
  type CredentialId,
  type DecisionRecord,
  type Endpoint,
  missingScopes,
  type Organisation,
  type PrincipalId,
  recordedScopes,
} from '@postern/schemas';
import type { Binding } from './binding.ts';

/** An authenticated caller. All of `subjects` have to hold the permission: delegation narrows. */
export type Caller = {
  readonly kind: 'caller';
  readonly principal: PrincipalId;
  readonly credential?: CredentialId;
  /** Whoever acts for the principal, the one that holds the token first. */
  readonly actors: readonly PrincipalId[];
  readonly subjects: readonly (PrincipalId | CredentialId)[];
  /** The subjects in one text: the caller's part of a cache key. */
  readonly caller: string;
  /** Claims of the verified token that conditions look at. */
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** OAuth scopes of a delegated token; absent where it is not delegated. */
  readonly scopes?: readonly string[];
  /** What its holder has to prove besides having it. */
  readonly binding?: Binding;
  /** Certificates only: whether whoever vouched for it still does. */
  readonly vouchedFor?: () => boolean;
  /** What a decision's record says of the token, made once for all its requests. */
  readonly recorded?: Pick<DecisionRecord, 'scopes' | 'scopesBeyond' | 'acr' | 'amr'>;
  /** Tokens only: ms since the epoch. A session revoked later than this ends it. */
  readonly issuedAtMs?: number;
  /** When the credential runs out, ms since the epoch. */
  readonly expiresAtMs?: number;
};
export type Unidentified =
  | { readonly kind: 'none' }
  /** `challenge` is the WWW-Authenticate of the answer where another scheme than Bearer was meant. */
  | { readonly kind: 'bad'; readonly why: string; readonly challenge?: Challenge }
  | { readonly kind: 'session-revoked' }
  | { readonly kind: 'two' }
  /** The issuer's keys cannot be had: nobody's fault who calls, so not 401. */
  | { readonly kind: 'undecidable'; readonly why: string };
/** How to come back: RFC 9110 §11.6.1, RFC 9449 §7.1 and §8. */
export type Challenge = { readonly authenticate: string; readonly dpopNonce?: string };
export type Identity = Caller | Unidentified;

export const toCaller = (about: Omit<Caller, 'kind' | 'subjects' | 'caller' | 'recorded'>): Caller => {
  const subjects = [...(about.credential === undefined ? [] : [about.credential]), about.principal, ...about.actors];
  const { scopes, acr, amr } = about;
  const recorded = {
    ...(scopes !== undefined && recordedScopes(scopes)),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr: [...amr] }),
  };
  return { kind: 'caller', ...about, subjects, caller: subjects.join(' '), recorded };
};

/**
 * Is the caller still one, now and after all facts that were applied so far? Asked right before a request goes on, and again for
 * every open stream that a fact touches.
 */
export const identityHolds = (caller: Caller, organisation: Organisation, nowMs: number): boolean => {
  if (caller.expiresAtMs !== undefined && nowMs >= caller.expiresAtMs) return false;
  if (caller.vouchedFor?.() === false) return false;
  if (caller.credential !== undefined) return organisation.credentials.has(caller.credential);
  const issuedAtMs = caller.issuedAtMs ?? 0;
  return (
    !sessionEnded(organisation, caller.principal, issuedAtMs) &&
    caller.actors.every((actor) => !sessionEnded(organisation, actor, issuedAtMs))
  );
};

/** Whoever left is still who they are: their call is refused because they hold nothing, with 403, not as a bad credential. */
const sessionEnded = (organisation: Organisation, principal: PrincipalId, issuedAtMs: number): boolean =>
  issuedAtMs < (organisation.sessionsRevokedBefore.get(principal) ?? Number.NEGATIVE_INFINITY);

/** A delegated token calls only what its scopes name: all of the endpoint's scopes have to be there. */
export const lacksScopes = (caller: Caller | undefined, endpoint: Pick<Endpoint, 'scopes'>): boolean =>
  missingScopes(caller?.scopes, endpoint).length > 0;
