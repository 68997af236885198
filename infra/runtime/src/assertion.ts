/**
 * The gate's word for who is calling: every room and every upstream accepts this and nothing else. The rooms learn the proxies'
 * public keys from their heartbeats; outside upstreams read them at the gate's `/.well-known/jwks.json`.
 */
import { PrincipalId, Problem } from '@postern/schemas';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import { z } from 'zod';

/** The header that carries it, lower-case. */
export const assertionHeader = 'postern-assertion';
export const assertionIssuer = 'postern';

export const AssertionClaims = z.object({
  iss: z.literal(assertionIssuer),
  aud: z.string(),
  sub: PrincipalId,
  credential: z.string().optional(),
  endpoint: z.string(),
  act: z.unknown().optional(),
  exp: z.number(),
  iat: z.number(),
});
export type AssertionClaims = z.infer<typeof AssertionClaims>;

/** The keys that are believed now; it changes as proxies come and go. */
export type AssertionKeys = { readonly current: () => readonly JWK[] };

/** Verifies one assertion for `audience`; rejects with `runtime/bad-assertion`. */
export const verifyAssertion = async (
  token: string,
  audience: string,
  keys: AssertionKeys,
): Promise<AssertionClaims> => {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...keys.current()] }), {
      algorithms: ['EdDSA'],
      audience,
      issuer: assertionIssuer,
      typ: 'postern-assertion+jwt',
      clockTolerance: 5,
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    return AssertionClaims.parse(payload);
  } catch (error) {
    throw new Problem('runtime/bad-assertion', {
      detail: error instanceof Error ? error.message : 'not a token',
      fix: 'Call this API through the gate.',
      cause: error,
    });
  }
};

const claimsOf = new WeakMap<FastifyRequest, AssertionClaims>();

/** Guards every route of `app` but the paths in `open` by the gate's assertion for `audience`. */
export const requireAssertion = (
  app: FastifyInstance,
  audience: string,
  keys: AssertionKeys,
  open: readonly string[] = [],
): void => {
  app.addHook('onRequest', async (request) => {
    if (open.includes(request.routeOptions.url ?? '')) return;
    const token = request.headers[assertionHeader];
    if (typeof token !== 'string')
      throw new Problem('runtime/bad-assertion', {
        detail: 'the request carries no assertion',
        fix: 'Call this API through the gate.',
      });
    claimsOf.set(request, await verifyAssertion(token, audience, keys));
  });
};

/** Who is calling, as the gate asserted it; only behind {@link requireAssertion}. */
export const caller = (request: FastifyRequest): AssertionClaims => {
  const claims = claimsOf.get(request);
  if (claims === undefined) throw new Problem('runtime/bad-assertion', { detail: 'this route is not guarded' });
  return claims;
};
