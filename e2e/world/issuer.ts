/** An identity provider: discovery, keys, and a token for whoever is asked for. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { startHttp } from './stub-server.ts';

export const audience = 'postern-e2e';

export type TokenOptions = {
  readonly issuedSecondsAgo?: number;
  /** Who acts in the subject's name (RFC 8693). */
  readonly act?: string;
};

export type Issuer = AsyncDisposable & {
  readonly url: string;
  readonly token: (subject: string, options?: TokenOptions) => Promise<string>;
};

export const startIssuer = async (): Promise<Issuer> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const server = await startHttp((request, response, url) => {
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/jwks.json` },
      '/jwks.json': { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  return {
    ...server,
    token: (subject, { issuedSecondsAgo = 0, act } = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT(act === undefined ? {} : { act: { sub: act } })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
        .setIssuer(server.url)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt(now - issuedSecondsAgo)
        .setExpirationTime(now + 3_600)
        .sign(privateKey);
    },
  };
};
