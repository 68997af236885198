/**
 * The console's room: the page's files, and the cookie of a session. It guards nothing, because it knows nothing: the gate judges
 * the credential in the cookie at every call, as it judges one in a header.
 */
import {
  type AssertionKeys,
  assertionHeader,
  httpApp,
  type Logger,
  type Room,
  verifyAssertion,
} from '@postern/runtime';
import { Problem, posternMount, posternService, sessionCookie } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { builtPage } from './built-page.ts';

export type ConsoleDeps = { readonly keys: AssertionKeys; readonly log: Logger; readonly telemetry: Telemetry };
export type ConsoleConfig = {
  /** The gate speaks TLS: then the cookie never goes over a clear line. */
  readonly secure: boolean;
};

const base = `${posternMount}/console`;
const SignIn = z.strictObject({ key: z.string().regex(/^psk_[A-Za-z0-9_-]{43}$/, 'it is no API key of this gate') });
/** Mantine sets custom properties on elements by the CSSOM, which a policy does not forbid; no style stands in a document. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export const consoleService = ({ keys, log, telemetry }: ConsoleDeps, { secure }: ConsoleConfig): Room => {
  const http = httpApp({ log, telemetry, bodyBytesMax: 4_096 });
  const page = builtPage(log);
  const cookie = (value: string, more = ''): string =>
    `${sessionCookie}=${value}; Path=${posternMount}/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}${more}`;

  http.addHook('onSend', async (_, reply) => {
    reply
      .header('content-security-policy', policy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cross-origin-resource-policy', 'same-origin');
  });

  http.get(base, async (_, reply) => reply.redirect(`${base}/`, 308));
  http.get(`${base}/session`, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const token = request.headers[assertionHeader];
    if (typeof token !== 'string') return { principal: null };
    const { sub, credential } = await verifyAssertion(token, posternService, keys);
    return { principal: sub, ...(credential !== undefined && { credential }) };
  });
  http.post(`${base}/session`, async (request, reply) => {
    requireSameSite(request);
    const { key } = SignIn.parse(request.body);
    return reply.header('cache-control', 'no-store').header('set-cookie', cookie(key)).code(204).send();
  });
  http.delete(`${base}/session`, async (request, reply) => {
    requireSameSite(request);
    return reply.header('cache-control', 'no-store').header('set-cookie', cookie('', '; Max-Age=0')).code(204).send();
  });
  http.get<{ Params: { '*': string } }>(`${base}/*`, async ({ params }, reply) => {
    const file = await page.file(params['*']);
    if (file === undefined) throw new Problem('runtime/not-found', { detail: params['*'].slice(0, 200) });
    return reply
      .type(file.type)
      .header('cache-control', file.lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
      .send(file.bytes);
  });

  return {
    name: 'console',
    http,
    start: async () => {},
    notReady: () => [],
    stop: async () => {
      await http.close();
    },
  };
};

/** Another site's page can neither sign somebody in under a name of its choice, nor out. */
const requireSameSite = ({ headers }: FastifyRequest): void => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Problem('runtime/bad-request', { detail: 'sessions begin and end on the console alone' });
};
