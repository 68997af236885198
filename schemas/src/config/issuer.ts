/** Who issues tokens that count here, and how each of them is checked. */
import { z } from 'zod';
import { SignIn } from './console.ts';
import { RequiredClaims, TokenSubject } from './token-subject.ts';

const documentUrl = z.string().regex(/^(http|https|file):/, 'write a URL that begins with http:, https:, file:');

/** Asymmetric algorithms only: a public key can then never be used as a secret. */
export const Algorithm = z.enum([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
]);
export type Algorithm = z.infer<typeof Algorithm>;

/** Tokens that say nothing by themselves: the issuer is asked about each (RFC 7662). */
export const Introspection = z.strictObject({
  endpoint: z.string().regex(/^https?:/, 'write a URL that begins with https: or http:'),
  clientId: z.string().min(1),
  /** A file with this gate's secret at the issuer; it is read at each question, so a new one counts at once. */
  clientSecretFile: z.string().min(1),
  /** How the gate says who it is: in the Authorization header, or in the form (`client_secret_post`). */
  clientAuth: z.enum(['basic', 'post']).default('basic'),
  /** Tokens of this issuer begin with it. Of several issuers that are asked, only one may do without: a token is shown to no other. */
  prefix: z.string().min(1).optional(),
  /** How long a good answer counts at most, in seconds; never beyond the token's own end. What the issuer revokes is seen after it. */
  cacheSeconds: z.number().int().min(0).max(3_600).default(60),
  /** How long "not active" counts, in seconds. */
  refusedCacheSeconds: z.number().int().min(0).max(60).default(5),
  /** How many answers are kept, at about 700 bytes each. */
  cachedMax: z.number().int().min(1).default(20_000),
  timeoutMs: z.number().int().min(1).max(30_000).default(2_000),
  /** Whether an answer has to name the audience. RFC 7662 lets issuers leave it out; then any token of theirs is one for this gate. */
  audienceRequired: z.boolean().default(true),
});
export type Introspection = z.infer<typeof Introspection>;

/** Proofs of possession (RFC 9449). A token that says it is bound to a key is checked in every case; this says how. */
export const Dpop = z.strictObject({
  /** Refuses tokens of this issuer that are bound to no key. */
  required: z.boolean().default(false),
  algorithms: z.array(Algorithm).min(1).default(['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256']),
  /** How old a proof may be, in seconds; clocks may differ by `clockSkewSeconds` besides. */
  proofSeconds: z.number().int().min(1).max(300).default(60),
  /** A proof has to hold a nonce that this gate gave out in the last minutes: proofs made in advance are then worth nothing. */
  nonce: z.boolean().default(false),
});
export type Dpop = z.infer<typeof Dpop>;

/** Over a clear line anybody could answer in the issuer's place; on this very machine nobody else can. */
const overSafeLine = (url: string): boolean =>
  /^https:/.test(url) || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$)/.test(url);

export const Issuer = z.strictObject({
  issuer: z.url(),
  audience: z.array(z.string().min(1)).min(1),
  /** A URL or file:PATH; left out, it is found by OpenID discovery at the issuer. */
  jwks: documentUrl.optional(),
  algorithms: z.array(Algorithm).min(1).default(['RS256', 'ES256', 'EdDSA']),
  subject: TokenSubject.default({ type: 'user', claim: 'sub' }),
  /** What its tokens have to say besides, or they are refused: claim → values of which it has one. */
  require: RequiredClaims.default({}),
  /** Who acts for somebody (claim `act`, RFC 8693); left out, the type of `subject`. */
  actors: z.strictObject({ type: z.enum(['user', 'workload']) }).optional(),
  /**
   * Where a token carries its OAuth scopes: a text parted by spaces or a list. Left out, `scope` and `scp` are read. A token without
   * the claim is not delegated and needs no scopes, unless `required` says that it then has none.
   */
  scopes: z.strictObject({ claim: z.string().min(1).optional(), required: z.boolean().default(false) }).prefault({}),
  /** Accepted JOSE `typ` values; an ID token is not an access token. `none` accepts a token without `typ`. */
  typ: z.array(z.string()).default(['at+jwt', 'application/at+jwt', 'JWT', 'none']),
  /** Seconds by which clocks may differ. */
  clockSkewSeconds: z.number().int().min(0).max(300).default(30),
  introspection: Introspection.optional(),
  dpop: Dpop.prefault({}),
  /** People sign in to the console with this issuer. */
  signIn: SignIn.optional(),
});
export type Issuer = z.infer<typeof Issuer>;

export const Issuers = z
  .array(Issuer)
  .refine(
    (all) => all.every(({ issuer, signIn }) => signIn === undefined || overSafeLine(issuer)),
    'people sign in over https: alone, or on this machine: give the issuer an https: address',
  )
  .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, 'an issuer is named twice')
  .refine((all) => {
    const prefixes = all.flatMap(({ introspection }) => (introspection === undefined ? [] : [introspection.prefix]));
    return new Set(prefixes).size === prefixes.length;
  }, 'of several issuers that are asked about tokens, each needs a prefix of its own: which one an opaque token is of cannot be guessed');
