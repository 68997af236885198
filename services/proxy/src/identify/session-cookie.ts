/**
 * The console's cookie is one more place where a credential may stand; it is judged as if it had come in a header. It counts only
 * for Postern's own API, only with a header that no other site's page can send unasked, and only where the Origin, if there is one,
 * is the gate itself. It never goes on to any API.
 */
import { posternMount, sessionCookie } from '@postern/schemas';
import { apiKeyPrefix } from './api-key.ts';

export type ParsedCookies = {
  /** The Cookie header without ours; undefined where nothing is left. */
  readonly rest: string | undefined;
  /** What our cookies hold: HTTP/2 sends each in a field of its own. */
  readonly sessions: readonly string[];
};

export const parseCookies = (header: string): ParsedCookies => {
  if (!header.includes(sessionCookie)) return { rest: header, sessions: none };
  const all = header.split(';').map((pair) => pair.trim());
  const own = all.filter((pair) => pair.startsWith(`${sessionCookie}=`));
  const others = all.filter((pair) => !pair.startsWith(`${sessionCookie}=`) && pair !== '');
  return {
    rest: others.length > 0 ? others.join('; ') : undefined,
    sessions: own.map((pair) => pair.slice(sessionCookie.length + 1)),
  };
};
const none: readonly string[] = [];

export type SessionRequest = {
  readonly sessions: readonly string[];
  /** The request carries the console's header. */
  readonly asked: boolean;
  readonly path: string;
  readonly origin: string | undefined;
  /** Scheme and host that the client called. */
  readonly self: string;
};

/** Two cookies of that name are none: nobody can say which one counts. */
export const sessionOf = ({ sessions, asked, path, origin, self }: SessionRequest): string | undefined => {
  const [only, ...more] = sessions;
  const counts = asked && path.startsWith(`${posternMount}/`) && (origin === undefined || origin === self);
  return counts && more.length === 0 ? only : undefined;
};

/** A header goes before the cookie, which holds an API key or an issuer's token and is judged as either would be in its own header. */
export const presentedIn = (
  authorization: string | undefined,
  apiKey: string | undefined,
  session: string | undefined,
): { readonly authorization: string | undefined; readonly apiKey: string | undefined } =>
  session === undefined || authorization !== undefined || apiKey !== undefined
    ? { authorization, apiKey }
    : session.startsWith(apiKeyPrefix)
      ? { authorization: undefined, apiKey: session }
      : { authorization: `Bearer ${session}`, apiKey: undefined };
