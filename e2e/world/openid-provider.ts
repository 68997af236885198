/** An OpenID provider of other people's making (oidc-provider), in this process: its pages ask for a name and take any password. */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { audience } from './issuer.ts';

export const resource = 'https://gate.test/';
export const clientId = 'postern-console';

export type OpenIdProvider = AsyncDisposable & { readonly url: string };
export type OpenIdProviderOptions = {
  readonly redirectUris: readonly string[];
  readonly accessTokenSeconds?: number;
};

/** At `localhost`, so that a gate at 127.0.0.1 is another site to the browser. */
export const startOpenIdProvider = async ({
  redirectUris,
  accessTokenSeconds = 600,
}: OpenIdProviderOptions): Promise<OpenIdProvider> => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'signing', alg: 'ES256', use: 'sig' };
  let handle: ReturnType<Provider['callback']> | undefined;
  const server = createServer((request, response) => void handle?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  const url = `http://localhost:${typeof address === 'object' ? address?.port : 0}`;
  const provider = new Provider(url, {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: 'none',
        redirect_uris: [...redirectUris],
        grant_types: ['authorization_code', 'refresh_token'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ['a test'] },
    scopes: ['openid', 'offline_access'],
    ttl: {
      RefreshToken: 3_600,
      Session: 3_600,
      Grant: 3_600,
      Interaction: 600,
      IdToken: 600,
      AccessToken: accessTokenSeconds,
    },
    features: {
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenTTL: accessTokenSeconds,
          accessTokenFormat: 'jwt' as const,
          jwt: { sign: { alg: 'ES256' as const } },
        }),
      },
    },
  });
  handle = provider.callback();
  return {
    url,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
