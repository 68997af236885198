/** The console: where it is reached, and how people sign in to it with an issuer's word. */
import { z } from 'zod';

/** How the console is known to an issuer as its client (OpenID Connect: authorization code with PKCE). */
export const SignIn = z.strictObject({
  clientId: z.string().min(1),
  /** A file with the client's secret; left out, the console is a public client, which PKCE protects all the same. */
  clientSecretFile: z.string().min(1).optional(),
  /** How the secret is sent: in the Authorization header, or in the form (`client_secret_post`). */
  clientAuth: z.enum(['basic', 'post']).default('basic'),
  /** `openid` is always asked for. `offline_access` makes most issuers give what a session is renewed with. */
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).default(['openid']),
  /** The API that the access token is for, where the issuer wants to be told (RFC 8707). */
  resource: z.url().optional(),
  /** Further parameters of the authorization request, for instance `audience` or `prompt`. */
  parameters: z.record(z.string().regex(/^[a-z_]{1,40}$/), z.string()).default({}),
  /** What the button says: "Sign in with …"; left out, the issuer's host. */
  label: z.string().min(1).max(60).optional(),
});
export type SignIn = z.infer<typeof SignIn>;

const Origin = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text), {
    error: 'write an origin: scheme, host and port alone, for instance https://gate.example.com',
  });

export const ConsoleConfig = z.strictObject({
  /** The origins that people's browsers reach the gate at; issuers have to know ORIGIN/.postern/console/signed-in of each. Left out, `listen`. */
  origins: z.array(Origin).min(1).optional(),
  /** A file with the key that seals what the console keeps in cookies; several instances share it. Left out, one is made in the data folder. */
  sealKeyFile: z.string().min(1).optional(),
  /** A session by an issuer's word is not renewed for longer than this, in hours. */
  sessionHoursMax: z.number().min(0.1).max(720).default(12),
});
export type ConsoleConfig = z.infer<typeof ConsoleConfig>;
