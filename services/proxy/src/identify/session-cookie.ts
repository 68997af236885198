/**
 * The console's cookie is one more place where a credential may stand; it is judged as if it had come in a header. It counts only
 * for Postern's own API, only with a header that no other site's page can send unasked, and only where the Origin, if there is one,
 * is the gate itself. It never goes on to any API.
 */
import { posternMount, sessionCookie } from '@postern/schemas';

export type ParsedCookies = {
  /** The Cookie header without ours; undefined where nothing is left. */
  readonly rest: string | undefined;
  readonly session: string | undefined;
};

/** Two cookies of that name are none: nobody can say which one counts. */
export const parseCookies = (header: string): ParsedCookies => {
  if (!header.includes(sessionCookie)) return { rest: header, session: undefined };
  const all = header.split(';').map((pair) => pair.trim());
  const own = all.filter((pair) => pair.startsWith(`${sessionCookie}=`));
  const others = all.filter((pair) => !pair.startsWith(`${sessionCookie}=`) && pair !== '');
  const [only] = own;
  return {
    rest: others.length > 0 ? others.join('; ') : undefined,
    session: own.length === 1 ? only?.slice(sessionCookie.length + 1) : undefined,
  };
};

export type SessionRequest = {
  readonly session: string | undefined;
  /** The request carries the console's header. */
  readonly asked: boolean;
  readonly path: string;
  readonly origin: string | undefined;
  /** Scheme and host that the client called. */
  readonly self: string;
};

export const sessionOf = ({ session, asked, path, origin, self }: SessionRequest): string | undefined =>
  asked && path.startsWith(`${posternMount}/`) && (origin === undefined || origin === self) ? session : undefined;
