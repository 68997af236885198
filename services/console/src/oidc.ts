/**
 * OpenID Connect as a client: authorization code with PKCE, state and nonce, and an ID token whose signature is checked. What comes
 * out is the issuer's access token, and that alone becomes a credential; the ID token says whom the issuer saw, and is not kept.
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '@postern/runtime';
import { type Issuer, Problem, type SignIn } from '@postern/schemas';
import * as client from 'openid-client';
import { z } from 'zod';

export const Transaction = z.strictObject({
  issuer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  returnTo: z.string(),
});
/** A sign-in that is under way; it lies sealed in the browser that began it. */
export type Transaction = z.infer<typeof Transaction>;

export type Tokens = {
  readonly access: string;
  readonly refresh: string | undefined;
  /** ms since the epoch; undefined where the issuer does not say. */
  readonly endsAt: number | undefined;
};

export type Oidc = {
  readonly choices: () => readonly { readonly issuer: string; readonly label: string }[];
  /** Rejects with `console/issuer-unreachable`, or `console/sign-in-refused` for an issuer that is none of ours. */
  readonly begin: (
    about: Pick<Transaction, 'issuer' | 'redirectUri' | 'returnTo'>,
  ) => Promise<{ readonly location: string; readonly transaction: Transaction }>;
  /** `query`: what the issuer sent the browser back with. Rejects with `console/sign-in-refused`. */
  readonly finish: (transaction: Transaction, query: string) => Promise<Tokens>;
  /** Rejects with `console/not-renewed`. */
  readonly renew: (issuer: string, refresh: string) => Promise<Tokens>;
  /** Tells the issuer that the session is over; never rejects. */
  readonly revoke: (issuer: string, refresh: string) => Promise<void>;
  readonly configure: (issuers: readonly Issuer[]) => void;
};

/** Discovery is asked for anew after this long. */
const knownForMs = 3_600_000;
const timeoutSeconds = 10;

type Known = { readonly at: number; readonly made: Promise<client.Configuration> };

export const oidc = (issuers: readonly Issuer[], clock: Clock): Oidc => {
  let ours = new Map<string, SignIn>();
  let known = new Map<string, Known>();
  const configure = (all: readonly Issuer[]): void => {
    ours = new Map(all.flatMap(({ issuer, signIn }) => (signIn === undefined ? [] : [[issuer, signIn]])));
    known = new Map();
  };
  configure(issuers);

  const signInOf = (issuer: string): SignIn => {
    const found = ours.get(issuer);
    if (found === undefined)
      throw new Problem('console/sign-in-refused', { detail: 'nobody signs in with that issuer here' });
    return found;
  };
  const configurationOf = async (issuer: string): Promise<client.Configuration> => {
    const signIn = signInOf(issuer);
    const kept = known.get(issuer);
    const entry =
      kept !== undefined && clock.elapsed() - kept.at < knownForMs
        ? kept
        : { at: clock.elapsed(), made: discovered(issuer, signIn) };
    known.set(issuer, entry);
    try {
      return await entry.made;
    } catch (cause) {
      if (known.get(issuer) === entry) known.delete(issuer);
      throw new Problem('console/issuer-unreachable', { detail: issuer, cause });
    }
  };

  return {
    configure,
    choices: () => [...ours].map(([issuer, { label }]) => ({ issuer, label: label ?? new URL(issuer).host })),
    begin: async ({ issuer, redirectUri, returnTo }) => {
      const signIn = signInOf(issuer);
      const configuration = await configurationOf(issuer);
      const transaction = {
        issuer,
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        redirectUri,
        returnTo,
      };
      const location = client.buildAuthorizationUrl(configuration, {
        ...signIn.parameters,
        redirect_uri: redirectUri,
        scope: [...new Set(['openid', ...signIn.scopes])].join(' '),
        state: transaction.state,
        nonce: transaction.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(transaction.verifier),
        code_challenge_method: 'S256',
        ...(signIn.resource !== undefined && { resource: signIn.resource }),
      });
      return { location: location.href, transaction };
    },
    finish: async ({ issuer, redirectUri, state, nonce, verifier }, query) => {
      const { resource } = signInOf(issuer);
      const configuration = await configurationOf(issuer);
      const returned = new URL(redirectUri);
      returned.search = query;
      try {
        const answer = await client.authorizationCodeGrant(
          configuration,
          returned,
          { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
          resource === undefined ? undefined : { resource },
        );
        return tokensOf(answer, clock);
      } catch (cause) {
        throw new Problem('console/sign-in-refused', { detail: whyNot(cause), cause });
      }
    },
    renew: async (issuer, refresh) => {
      const { resource } = signInOf(issuer);
      const configuration = await configurationOf(issuer);
      try {
        const answer = await client.refreshTokenGrant(
          configuration,
          refresh,
          resource === undefined ? {} : { resource },
        );
        return { ...tokensOf(answer, clock), refresh: answer.refresh_token ?? refresh };
      } catch (cause) {
        throw new Problem('console/not-renewed', { detail: whyNot(cause), cause });
      }
    },
    revoke: async (issuer, refresh) => {
      try {
        const configuration = await configurationOf(issuer);
        if (configuration.serverMetadata().revocation_endpoint !== undefined)
          await client.tokenRevocation(configuration, refresh, { token_type_hint: 'refresh_token' });
      } catch {
        // The session is over here in any case; what the issuer still holds runs out there.
      }
    },
  };
};

const discovered = async (issuer: string, signIn: SignIn): Promise<client.Configuration> => {
  const secret =
    signIn.clientSecretFile === undefined ? undefined : (await readFile(signIn.clientSecretFile, 'utf8')).trim();
  const authentication =
    secret === undefined
      ? client.None()
      : signIn.clientAuth === 'post'
        ? client.ClientSecretPost(secret)
        : client.ClientSecretBasic(secret);
  return client.discovery(new URL(issuer), signIn.clientId, undefined, authentication, {
    timeout: timeoutSeconds,
    execute: [
      client.enableNonRepudiationChecks,
      // The configuration takes such an address on this machine alone.
      ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
    ],
  });
};

const tokensOf = (
  answer: {
    access_token: string;
    refresh_token?: string | undefined;
    expires_in?: number | undefined;
    token_type: string;
  },
  clock: Clock,
): Tokens => {
  if (answer.token_type.toLowerCase() !== 'bearer')
    throw new RangeError('the issuer gave a token that is bound to a key');
  return {
    access: answer.access_token,
    refresh: answer.refresh_token,
    endsAt: answer.expires_in === undefined ? undefined : clock.now() + answer.expires_in * 1_000,
  };
};

/** What the issuer or the library says, without anything of the tokens. */
const whyNot = (cause: unknown): string => {
  if (cause instanceof client.AuthorizationResponseError || cause instanceof client.ResponseBodyError)
    return [cause.error, cause.error_description].filter(Boolean).join(': ').slice(0, 300);
  return cause instanceof Error ? cause.message.slice(0, 300) : 'it cannot be read';
};
