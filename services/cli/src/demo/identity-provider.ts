/** The sample identity provider: OpenID discovery, a JWKS, and tokens for whoever asks. For the demo alone: it asks for no password. */
import { httpApp, type Logger, listen } from '@postern/runtime';
import type { FastifyInstance } from 'fastify';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

export const demoAudience = 'postern-demo';

export type SampleIdentityProvider = {
  readonly app: FastifyInstance;
  readonly listen: () => Promise<void>;
  readonly issuer: string;
};

export const sampleIdentityProvider = async (address: string, log: Logger): Promise<SampleIdentityProvider> => {
  const issuer = `http://${address}`;
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const app = httpApp({ log });
  app.get('/.well-known/openid-configuration', async () => ({
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    id_token_signing_alg_values_supported: ['ES256'],
  }));
  app.get('/jwks.json', async () => ({ keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] }));
  app.get<{ Params: { subject: string } }>('/token/:subject', async ({ params }, reply) =>
    reply
      .type('text/plain')
      .send(
        await new SignJWT({})
          .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
          .setIssuer(issuer)
          .setAudience(demoAudience)
          .setSubject(params.subject)
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(privateKey),
      ),
  );
  return { app, issuer, listen: async () => void (await listen(app, address)) };
};
