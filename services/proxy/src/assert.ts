/**
 * The gate's word to the API behind it: who is calling which endpoint, signed, for seconds. A signature costs more than the rest of
 * a request, so one is reused for the same caller and endpoint.
 */
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import type { Clock } from '@postern/runtime';
import { assertionIssuer } from '@postern/runtime';

/** How long an assertion is reused, in ms, and how long it is valid, in s: what is handed out has 20 s left at least. */
const reuseMs = 10_000;
const validSeconds = 30;
const assertionsMax = 20_000;

type Made = { readonly token: string; readonly until: number };

export type Asserted = {
  readonly principal: string;
  readonly credential?: string;
  readonly actors: readonly string[];
  /** The caller in one text: what an assertion is kept by. */
  readonly caller: string;
};
export type PublicKey = {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
};
export type Assertions = {
  readonly jwk: PublicKey;
  readonly assert: (asserted: Asserted, service: string, endpoint: string) => string;
};

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Makes a key pair of its own; the private half never leaves this process. */
export const openAssertions = (clock: Clock): Assertions => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { kty = '', crv = '', x = '' } = publicKey.export({ format: 'jwk' });
  // RFC 7638: the required members in lexicographic order.
  const kid = hash('sha256', JSON.stringify({ crv, kty, x }), 'base64url');
  const header = base64url({ alg: 'EdDSA', typ: 'postern-assertion+jwt', kid });
  /** By endpoint, then by caller: two look-ups of texts that are there cost less than one of a text made for it. */
  let made = new Map<string, Map<string, Made>>();
  let count = 0;

  const make = ({ principal, credential, actors }: Asserted, service: string, endpoint: string): string => {
    const iat = Math.floor(clock.now() / 1_000);
    const claims = base64url({
      iss: assertionIssuer,
      aud: service,
      sub: principal,
      ...(credential !== undefined && { credential }),
      ...(actors.length > 0 && { act: toAct(actors) }),
      endpoint,
      iat,
      exp: iat + validSeconds,
    });
    const signed = `${header}.${claims}`;
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  };

  return {
    jwk: { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' },
    assert: (asserted, service, endpoint) => {
      const now = clock.elapsed();
      const kept = made.get(endpoint)?.get(asserted.caller);
      if (kept !== undefined && now < kept.until) return kept.token;
      if (++count > assertionsMax) {
        made = new Map();
        count = 1;
      }
      const token = make(asserted, service, endpoint);
      const callers = made.get(endpoint) ?? new Map<string, Made>();
      made.set(endpoint, callers.set(asserted.caller, { token, until: now + reuseMs }));
      return token;
    },
  };
};

/** RFC 8693 §4.1: the current actor outermost, earlier ones inside. */
const toAct = ([first, ...others]: readonly string[]): Record<string, unknown> => ({
  sub: first,
  ...(others.length > 0 && { act: toAct(others) }),
});
