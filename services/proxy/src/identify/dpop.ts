/** Proofs of possession (RFC 9449 §4.3): that whoever sends this request, now, holds the key its token is bound to. */
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@postern/runtime';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import type { Binding } from './binding.ts';
import { readCanonicalParts } from './canonical-jwt.ts';
import type { Identity, Unidentified } from './identity.ts';
import { type Replays, replays } from './replays.ts';

/** The request as its sender saw it. */
export type Proven = {
  readonly method: string;
  /** Scheme, host and path; what stands behind them is not proven. */
  readonly url: string;
  readonly proof: string | undefined;
};

const proofLengthMax = 8_000;
const jtiLengthMax = 256;
/** A nonce counts for one to two of these. */
export const nonceTurnMs = 150_000;

export type ProofChecker = {
  /** Undefined where the proof is good. Never rejects. */
  readonly check: (token: string, binding: Binding, request: Proven) => Promise<Unidentified | undefined>;
};

/** What gates have in common that share an address: a proof that one of them has seen is used up, and a nonce of one is good at all. */
export type ProofMemory = { readonly seen: Replays; readonly nonceSecret: Uint8Array };

/** Of one gate alone: a proof with a nonce is good at no other, so it cannot be used again there. */
export const ownProofMemory = (clock: Clock): ProofMemory => ({ seen: replays(clock), nonceSecret: randomBytes(32) });

export const proofChecker = (
  clock: Clock,
  { seen, nonceSecret }: ProofMemory = ownProofMemory(clock),
): ProofChecker => {
  const nonceAt = (turn: number): string => createHmac('sha256', nonceSecret).update(String(turn)).digest('base64url');
  const turn = (): number => Math.floor(clock.now() / nonceTurnMs);
  const isCurrent = (nonce: unknown): boolean =>
    typeof nonce === 'string' && [turn(), turn() - 1].some((each) => equal(nonce, nonceAt(each)));

  return {
    check: async (token, { keyThumbprint, proofs }, { method, url, proof }) => {
      const refuse = (why: string, error = 'invalid_dpop_proof', dpopNonce?: string): Identity & Unidentified => ({
        kind: 'bad',
        why,
        challenge: {
          authenticate: dpopChallenge(proofs.algorithms, error),
          ...(dpopNonce !== undefined && { dpopNonce }),
        },
      });
      if (proof === undefined) return refuse('it is bound to a key, and no proof of that key came with it');
      if (proof.length > proofLengthMax) return refuse('the proof is too long');
      const canonical = readCanonicalParts(proof);
      if ('why' in canonical) return refuse(`of the proof: ${canonical.why}`);
      try {
        const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
          algorithms: [...proofs.algorithms],
          typ: 'dpop+jwt',
          currentDate: new Date(clock.now()),
          clockTolerance: proofs.skewSeconds,
          maxTokenAge: proofs.proofSeconds,
          requiredClaims: ['jti', 'htm', 'htu', 'ath'],
        });
        const { jti, htm, htu, ath, nonce } = payload;
        if ((await calculateJwkThumbprint(protectedHeader.jwk as JWK)) !== keyThumbprint)
          return refuse('the proof is of another key than it is bound to', 'invalid_token');
        if (typeof jti !== 'string' || jti === '' || jti.length > jtiLengthMax) return refuse('the proof has no jti');
        if (htm !== method) return refuse('the proof is for another method');
        if (typeof htu !== 'string' || !sameTarget(htu, url)) return refuse('the proof is for another address');
        if (ath !== hash('sha256', token, 'base64url')) return refuse('the proof is for another token');
        if (proofs.nonce && !isCurrent(nonce))
          return refuse('the proof needs a nonce of this gate', 'use_dpop_nonce', nonceAt(turn()));
        const windowMs = (proofs.proofSeconds + 2 * proofs.skewSeconds) * 1_000;
        const noted = await seen.note(keyThumbprint ?? '', hash('sha256', jti, 'base64url'), windowMs);
        if (noted === 'seen') return refuse('the proof was used before');
        if (noted === 'full') return { kind: 'undecidable', why: 'too many proofs have to be remembered' };
        return undefined;
      } catch (error) {
        return refuse(`of the proof: ${error instanceof Error ? error.message : 'it cannot be read'}`);
      }
    },
  };
};

export const dpopChallenge = (algorithms: readonly string[], error?: string): string =>
  `DPoP ${error === undefined ? '' : `error="${error}", `}algs="${algorithms.join(' ')}"`;

const equal = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** RFC 9449 §4.3: without query and fragment, after the normalization of RFC 3986 §6.2.2 and §6.2.3. */
const sameTarget = (one: string, other: string): boolean => {
  const [left, right] = [normalized(one), normalized(other)];
  return left !== undefined && left === right;
};
const normalized = (text: string): string | undefined => {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replace(/%[0-9a-f]{2}/gi, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : octet.toUpperCase();
  });
  return `${url.origin}${path}`;
};
