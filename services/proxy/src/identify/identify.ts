/** Picks the credential out of the request: one, or none; two that differ are refused, for nobody can say which one counts. */

import type { Clock } from '@postern/runtime';
import type { Organisation } from '@postern/schemas';
import { apiKeyPrefix, identifyByApiKey } from './api-key.ts';
import { readAuthorization } from './authorization.ts';
import type { ClientCertificates } from './client-certificates.ts';
import { dpopChallenge, type ProofChecker } from './dpop.ts';
import { type Caller, type Identity, identityHolds, toCaller } from './identity.ts';
import type { OpaqueIdentifier } from './introspection.ts';
import type { JwtIdentifier } from './jwt.ts';
import type { Presented } from './presented.ts';

export type Credentials = {
  readonly authorization?: string | undefined;
  readonly apiKey?: string | undefined;
  /** A proof that the sender holds the key that its token is bound to, and what that proof has to speak of. */
  readonly dpop?: string | undefined;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  /** The host that a trusted proxy says it was called by. */
  readonly forwardedHost?: string | undefined;
  readonly path: string;
  /** The certificate that the connection was made with. */
  readonly certificate?: Presented | undefined;
};
export type Identify = (credentials: Credentials) => Identity | Promise<Identity>;

export type IdentifierDeps = {
  readonly organisation: Organisation;
  readonly jwt: JwtIdentifier;
  readonly clock: Clock;
  readonly opaque: OpaqueIdentifier;
  readonly proofs: ProofChecker;
  readonly certificates: ClientCertificates;
};

/** What proofs may be signed with where no issuer has said: as the configuration has it. */
const usualAlgorithms = ['ES256', 'EdDSA'];

export const identifier = ({ organisation, jwt, clock, opaque, proofs, certificates }: IdentifierDeps): Identify => {
  const live = (found: Identity): Identity =>
    found.kind === 'caller' && !identityHolds(found, organisation, clock.now()) ? { kind: 'session-revoked' } : found;

  const byToken = (token: string, proven: boolean, request: Credentials): Identity | Promise<Identity> => {
    const found = opaque.identify(token) ?? jwt.identify(token);
    return found instanceof Promise
      ? found.then((identity) => held(identity, token, proven, request))
      : held(found, token, proven, request);
  };
  const held = (
    identity: Identity,
    token: string,
    proven: boolean,
    request: Credentials,
  ): Identity | Promise<Identity> =>
    identity.kind === 'caller' && identity.binding === undefined && !proven
      ? live(identity)
      : unbound(identity, token, proven, request);
  /** A token that is bound, or that was sent as if it were. */
  const unbound = (
    identity: Identity,
    token: string,
    proven: boolean,
    { certificate, dpop: proof, method, scheme, host, forwardedHost = host, path }: Credentials,
  ): Identity | Promise<Identity> => {
    if (identity.kind === 'bad' && proven && identity.challenge === undefined)
      return { ...identity, challenge: { authenticate: dpopChallenge(usualAlgorithms, 'invalid_token') } };
    if (identity.kind !== 'caller') return identity;
    const { binding } = identity;
    const algorithms = binding?.proofs.algorithms ?? usualAlgorithms;
    if (binding?.certificateThumbprint !== undefined && binding.certificateThumbprint !== certificate?.thumbprint)
      return { kind: 'bad', why: 'it is bound to a certificate, and the connection was not made with that one' };
    if (binding?.keyThumbprint === undefined)
      return proven
        ? {
            kind: 'bad',
            why: 'it came with a proof of a key, and is bound to none',
            challenge: { authenticate: dpopChallenge(algorithms, 'invalid_token') },
          }
        : live(identity);
    if (!proven)
      return {
        kind: 'bad',
        why: 'it is bound to a key, and came without the proof of it',
        challenge: { authenticate: `Bearer error="invalid_token", ${dpopChallenge(algorithms)}` },
      };
    return proofs
      .check(token, binding, { method, url: `${scheme}://${forwardedHost}${path}`, proof })
      .then((refused) => refused ?? live(identity));
  };
  const byCredential = (request: Credentials): Identity | Promise<Identity> => {
    const { authorization, apiKey } = request;
    const sent = authorization === undefined ? undefined : readAuthorization(authorization);
    const token = sent?.token;
    if (authorization !== undefined && token === undefined)
      return { kind: 'bad', why: 'only Bearer and DPoP credentials are read' };
    if (apiKey !== undefined && token !== undefined && apiKey !== token) return { kind: 'two' };
    const proven = sent?.proven === true;
    const key = apiKey ?? (token?.startsWith(apiKeyPrefix) && !proven ? token : undefined);
    if (key !== undefined) return identifyByApiKey(key, organisation, clock.now());
    return token === undefined ? { kind: 'none' } : byToken(token, proven, request);
  };
  /** Which of the two is the caller is said by the configuration. */
  const together = (found: Identity, presented: Presented): Identity => {
    if (found.kind !== 'caller') return found;
    const way = certificates.withCredential();
    if (way === 'credential' || found.binding?.certificateThumbprint === presented.thumbprint) return found;
    const named = certificates.identify(presented);
    if (named.kind === 'none') return found;
    if (way === 'refuse') return named.kind === 'caller' ? { kind: 'two' } : found;
    const holding = live(named);
    if (way === 'certificate' || holding.kind !== 'caller') return holding;
    return through(found, holding);
  };

  return (request) => {
    const { certificate } = request;
    if (request.authorization === undefined && request.apiKey === undefined)
      return certificate === undefined ? { kind: 'none' } : live(certificates.identify(certificate));
    const found = byCredential(request);
    if (certificate === undefined) return found;
    return found instanceof Promise ? found.then((each) => together(each, certificate)) : together(found, certificate);
  };
};

/** The owner of the token, through whoever holds the connection: both have to be allowed. */
const through = ({ kind: _kind, subjects: _subjects, caller: _caller, ...owner }: Caller, holder: Caller): Caller =>
  toCaller({
    ...owner,
    actors: [...owner.actors, holder.principal],
    expiresAtMs: Math.min(
      owner.expiresAtMs ?? Number.POSITIVE_INFINITY,
      holder.expiresAtMs ?? Number.POSITIVE_INFINITY,
    ),
    ...(holder.vouchedFor !== undefined && { vouchedFor: holder.vouchedFor }),
  });
