/**
 * Sessions: begun with an API key or by an issuer's word, renewed while the gate holds them to be live, and ended. Nothing is kept
 * here: what a session needs lies in the browser, as the credential itself or sealed.
 */
import { type AssertionKeys, assertionHeader, type Clock, type Logger, verifyAssertion } from '@postern/runtime';
import { Problem, posternMount, posternService, renewalCookie, sessionCookie, signInCookie } from '@postern/schemas';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { cookieOf, cookieText, dropped, fits, originOf } from './cookies.ts';
import { type Oidc, type Tokens, Transaction } from './oidc.ts';
import { type SealKey, sealedFor } from './sealed.ts';

export type SessionDeps = {
  readonly keys: AssertionKeys;
  readonly oidc: Oidc;
  readonly sealKey: () => SealKey;
  readonly clock: Clock;
  readonly log: Logger;
};
export type SessionSettings = {
  /** The gate speaks TLS: then no cookie ever goes over a clear line. */
  readonly secure: boolean;
  /** Whose pages people sign in on: the redirect addresses that issuers know. */
  readonly origins: readonly string[];
  readonly sessionHoursMax: number;
};

const base = `${posternMount}/console`;
const SignInByKey = z.strictObject({
  key: z.string().regex(/^psk_[A-Za-z0-9_-]{43}$/, 'it is no API key of this gate'),
});
const Begin = z.strictObject({
  issuer: z.string().max(2_000),
  /** A page of the console. */
  returnTo: z
    .string()
    .max(2_000)
    .regex(/^\/(?![/\\])/, 'write a path of the console'),
});
const Finish = z.strictObject({ query: z.string().max(8_000) });

/** What a session is renewed with. It holds for `principal` alone, once the gate has said who that is. */
const Renewal = z.strictObject({
  issuer: z.string(),
  refresh: z.string().optional(),
  began: z.number(),
  endsAt: z.number().optional(),
  principal: z.string().optional(),
});
type Renewal = z.infer<typeof Renewal>;

/** Time enough to find one's password; then the sign-in is begun anew. */
const transactionSeconds = 600;
/** Between the issuer's answer and the page's first question, in which the gate names the principal. */
const unboundSeconds = 60;

export const sessionRoutes = (
  http: FastifyInstance,
  { keys, oidc, sealKey, clock, log }: SessionDeps,
  { secure, origins, sessionHoursMax }: SessionSettings,
): void => {
  const transactions = () => sealedFor('sign-in', Transaction, sealKey(), clock);
  const renewals = () => sealedFor('renewal', Renewal, sealKey(), clock);
  const sessionSeconds = Math.ceil(sessionHoursMax * 3_600);
  const cookie = (request: FastifyRequest, name: Parameters<typeof cookieText>[0], value: string, seconds?: number) =>
    cookieText(name, value, {
      origin: originOf(request),
      gateHasTls: secure,
      ...(seconds !== undefined && { seconds }),
    });
  const renewalOf = async (request: FastifyRequest): Promise<Renewal | undefined> => {
    const text = cookieOf(request, renewalCookie);
    return text === undefined ? undefined : renewals().open(text);
  };
  const renewalText = async (request: FastifyRequest, renewal: Renewal): Promise<string> => {
    const left = Math.floor((renewal.began + sessionSeconds * 1_000 - clock.now()) / 1_000);
    const seconds = renewal.principal === undefined ? unboundSeconds : Math.max(left, 1);
    const text = await renewals().seal(renewal, seconds);
    if (fits(text)) return cookie(request, renewalCookie, text, seconds);
    log.warn(
      { issuer: renewal.issuer },
      'what a session would be renewed with is too long for a cookie: it is not renewed',
    );
    const { refresh: _, ...rest } = renewal;
    return cookie(request, renewalCookie, await renewals().seal(rest, seconds), seconds);
  };
  const sessionText = (request: FastifyRequest, { access }: Tokens): string => {
    if (!fits(access))
      throw new Problem('console/sign-in-refused', {
        detail: `the access token has ${access.length} characters, and a cookie holds no more than 3900`,
        fix: 'Have the issuer put less into the tokens for this API.',
      });
    return cookie(request, sessionCookie, access);
  };

  http.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith(`${base}/session`)) reply.header('cache-control', 'no-store');
    if (request.method !== 'GET' && request.method !== 'HEAD') requireSameSite(request);
  });

  http.get(`${base}/issuers`, async (_, reply) => {
    reply.header('cache-control', 'no-store');
    return { issuers: oidc.choices() };
  });
  http.get(`${base}/session`, async (request, reply) => {
    const token = request.headers[assertionHeader];
    if (typeof token !== 'string') return { principal: null };
    const { sub, credential } = await verifyAssertion(token, posternService, keys);
    const renewal = credential === undefined ? await renewalOf(request) : undefined;
    const mine = renewal?.principal === undefined || renewal.principal === sub ? renewal : undefined;
    if (mine !== undefined && mine.principal === undefined)
      reply.header('set-cookie', await renewalText(request, { ...mine, principal: sub }));
    return {
      principal: sub,
      ...(credential !== undefined && { credential }),
      ...(mine !== undefined && { renews: mine.refresh !== undefined, endsAt: endOf(mine) }),
    };
  });
  const endOf = ({ endsAt }: Renewal): string | undefined =>
    endsAt === undefined ? undefined : new Date(endsAt).toISOString();

  http.post(`${base}/session`, async (request, reply) => {
    const { key } = SignInByKey.parse(request.body);
    return reply
      .header('set-cookie', [cookie(request, sessionCookie, key), dropped(renewalCookie)])
      .code(204)
      .send();
  });
  http.delete(`${base}/session`, async (request, reply) => {
    const renewal = await renewalOf(request);
    if (renewal?.refresh !== undefined) await oidc.revoke(renewal.issuer, renewal.refresh);
    return reply
      .header('set-cookie', [dropped(sessionCookie), dropped(renewalCookie)])
      .code(204)
      .send();
  });

  http.post(`${base}/session/begin`, async (request, reply) => {
    const { issuer, returnTo } = Begin.parse(request.body);
    const origin = originOf(request);
    if (origin === undefined || !origins.includes(origin))
      throw new Problem('console/sign-in-refused', {
        detail: `${(origin ?? 'a page without an origin').slice(0, 200)} is none of the console's origins`,
        fix: 'Name it under console.origins, and its /.postern/console/signed-in at the issuer.',
      });
    const redirectUri = `${origin}${base}/signed-in`;
    const { location, transaction } = await oidc.begin({ issuer, redirectUri, returnTo });
    const text = await transactions().seal(transaction, transactionSeconds);
    reply.header('set-cookie', cookie(request, signInCookie, text, transactionSeconds));
    return { location };
  });
  http.post(`${base}/session/finish`, async (request, reply) => {
    const { query } = Finish.parse(request.body);
    const text = cookieOf(request, signInCookie);
    const transaction = text === undefined ? undefined : await transactions().open(text);
    // Whatever comes of it, it counts once.
    reply.header('set-cookie', dropped(signInCookie));
    if (transaction === undefined)
      throw new Problem('console/sign-in-refused', {
        detail: 'no sign-in is under way in this browser, or it took longer than ten minutes',
        fix: 'Sign in anew.',
      });
    const tokens = await oidc.finish(transaction, query);
    const session = sessionText(request, tokens);
    const renewal = await renewalText(request, { ...kept(transaction.issuer, tokens), began: clock.now() });
    reply.removeHeader('set-cookie').header('set-cookie', [dropped(signInCookie), session, renewal]);
    return { returnTo: transaction.returnTo };
  });
  http.post(`${base}/session/renew`, async (request, reply) => {
    const renewal = await renewalOf(request);
    const principal = await principalOf(request);
    if (renewal?.refresh === undefined || renewal.principal !== principal)
      throw new Problem('console/not-renewed', { detail: 'there is nothing to renew it with', fix: 'Sign in anew.' });
    const tokens = await oidc.renew(renewal.issuer, renewal.refresh);
    const { began } = renewal;
    return withCookies(reply, [
      sessionText(request, tokens),
      await renewalText(request, { ...kept(renewal.issuer, tokens), began, principal }),
    ]);
  });

  /** Whom the gate knows by the session as it stands: one that was ended renews nothing. */
  const principalOf = async (request: FastifyRequest): Promise<string> => {
    const token = request.headers[assertionHeader];
    if (typeof token !== 'string') throw new Problem('console/not-renewed', { detail: 'nobody is signed in' });
    return (await verifyAssertion(token, posternService, keys)).sub;
  };
};

const kept = (issuer: string, { refresh, endsAt }: Tokens) => ({
  issuer,
  ...(refresh !== undefined && { refresh }),
  ...(endsAt !== undefined && { endsAt }),
});
const withCookies = (reply: FastifyReply, cookies: readonly string[]) =>
  reply
    .header('set-cookie', [...cookies])
    .code(204)
    .send();

/** Another site's page can neither sign somebody in under a name of its choice, nor out. */
const requireSameSite = ({ headers }: FastifyRequest): void => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Problem('runtime/bad-request', { detail: 'sessions begin and end on the console alone' });
};
