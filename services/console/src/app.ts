/**
 * The console's room: the page's files, and the cookies of a session. It guards nothing, because it knows nothing: the gate judges
 * the credential in the cookie at every call, as it judges one in a header.
 */
import { type AssertionKeys, type Clock, httpApp, type Logger, type Room } from '@postern/runtime';
import { type Issuer, Problem, posternMount } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import { builtPage } from './built-page.ts';
import { oidc } from './oidc.ts';
import type { SealKey } from './sealed.ts';
import { type SessionSettings, sessionRoutes } from './session-routes.ts';

export { consoleOrigins, sealKeyOf } from './settings.ts';

export type ConsoleDeps = {
  readonly keys: AssertionKeys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** Asked for once, at the start. */
  readonly sealKey: () => Promise<SealKey>;
};
export type ConsoleSettings = SessionSettings & {
  readonly issuers: readonly Issuer[];
  /** The page is looked for, and built where it has to be, before the room is ready; else at the first look. */
  readonly builtAtStart?: boolean;
};
export type ConsoleService = Room & { readonly configureIssuers: (issuers: readonly Issuer[]) => void };

const base = `${posternMount}/console`;
/** Mantine sets custom properties on elements by the CSSOM, which a policy does not forbid; no style stands in a document. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export const consoleService = (
  { keys, clock, log, telemetry, sealKey }: ConsoleDeps,
  { issuers, builtAtStart = false, ...settings }: ConsoleSettings,
): ConsoleService => {
  const http = httpApp({ log, telemetry, bodyBytesMax: 16_384 });
  const page = builtPage(log);
  const client = oidc(issuers, clock);
  let key: SealKey | undefined;
  let missing: string | undefined = builtAtStart ? 'the page has not been built yet' : undefined;

  http.addHook('onSend', async (_, reply) => {
    reply
      .header('content-security-policy', policy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cross-origin-resource-policy', 'same-origin');
  });
  const sealed = (): SealKey => {
    if (key === undefined) throw new Problem('runtime/internal', { detail: 'the console has not been started' });
    return key;
  };
  sessionRoutes(http, { keys, oidc: client, sealKey: sealed, clock, log }, settings);

  http.get(base, async (_, reply) => reply.redirect(`${base}/`, 308));
  http.get<{ Params: { '*': string } }>(`${base}/*`, async ({ params, headers }, reply) => {
    const file = await page.file(params['*']);
    if (file === undefined) throw new Problem('runtime/not-found', { detail: params['*'].slice(0, 200) });
    reply
      .type(file.type)
      .header('vary', 'accept-encoding')
      .header('cache-control', file.lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
    const takesGzip = /(^|,)\s*gzip\s*(,|;\s*q=(1|0\.0*[1-9])|$)/.test(headers['accept-encoding'] ?? '');
    return takesGzip ? reply.header('content-encoding', 'gzip').send(file.zipped) : reply.send(file.bytes);
  });

  return {
    name: 'console',
    http,
    configureIssuers: client.configure,
    start: async () => {
      key = await sealKey();
      if (!builtAtStart) return;
      await page.file('');
      missing = undefined;
    },
    notReady: () => (missing === undefined ? [] : [missing]),
    stop: async () => {
      await http.close();
    },
  };
};
