/** Who is signed in, until when, and which pages the graph lets them see. */
import { ApiFailure, ask, askJson, send } from './api.ts';
import { type SeePages, seeNeeded } from './see-needed.ts';

export type Session = {
  readonly principal: string | null;
  readonly credential?: string;
  /** By an issuer's word: whether it can be renewed, and when it ends if it is not. */
  readonly renews?: boolean;
  readonly endsAt?: string;
  /** Why there is none, where there was one. */
  readonly over?: string;
};
export type Pages = SeePages & { readonly deciding: boolean };

export const nobody: Session = { principal: null };

/** A credential that is not live any more is as good as none. */
export const whoAmI = async (): Promise<Session> => {
  try {
    return await askJson<Session>('/console/session');
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 401) return { principal: null, over: error.message };
    throw error;
  }
};

/** For whoever has no session, or one that is over: a dead cookie must not be in the way. */
const asNobody = { 'postern-console': '0' } as const;

type Issuers = { readonly issuers: readonly { readonly issuer: string; readonly label: string }[] };
export const issuers = async (): Promise<Issuers['issuers']> =>
  (await askJson<Issuers>('/console/issuers', { headers: asNobody })).issuers;

/** The key goes into the header once, for the gate to judge, and into the cookie, which no script can read. */
export const signInByKey = async (key: string): Promise<void> => {
  await ask('/console/session', {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
};

/** Leaves this page for the issuer's, which sends the browser back to `/signed-in`. A cookie that is dead must not be in the way. */
export const beginSignIn = async (issuer: string, returnTo: string): Promise<void> => {
  const { location } = await askJson<{ location: string }>('/console/session/begin', {
    method: 'POST',
    headers: { ...asNobody, 'content-type': 'application/json' },
    body: JSON.stringify({ issuer, returnTo }),
  });
  window.location.assign(location);
};

/**
 * What the issuer sent back is given to the room from here: the issuer's redirect comes from another site, so cookies that are for
 * this site alone do not go along with it, and with this request they do.
 */
export const finishSignIn = async (query: string): Promise<string> => {
  const { returnTo } = await askJson<{ returnTo: string }>('/console/session/finish', {
    method: 'POST',
    headers: { ...asNobody, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const session = await whoAmI();
  if (session.principal !== null) return returnTo;
  await dropCookies();
  throw new ApiFailure(401, session.over ?? 'The gate does not take the token that the issuer gave.');
};

/** One tab at a time: a refresh token that is used twice is taken for a stolen one by most issuers. */
export const renewSession = (soonMs: number): Promise<void> =>
  navigator.locks.request('postern-renewal', async () => {
    const { endsAt, renews } = await whoAmI();
    if (renews === true && endsAt !== undefined && Date.parse(endsAt) - Date.now() < soonMs)
      await ask('/console/session/renew', { method: 'POST' });
  });

/** Without the page's header the cookie does not count, so that one with a dead credential can be dropped too. */
const dropCookies = async (): Promise<void> => {
  await ask('/console/session', { method: 'DELETE', headers: asNobody });
};

/**
 * A session by an issuer's word is ended at every gate first, so that a copy of the cookie is worth nothing; a key lives on. Whatever
 * comes of that, this browser forgets it.
 */
export const signOut = async ({ credential }: Session): Promise<void> => {
  try {
    if (credential === undefined) await ask('/sessions/end?wait=enforced', { method: 'POST' });
  } catch (error) {
    // One that is over needs no end.
    if (!(error instanceof ApiFailure && error.status === 401)) throw error;
  } finally {
    await dropCookies();
  }
};

/** Which of Postern's own operations the person may call; the graph is asked. */
export const allowedOf = async (operations: readonly string[]): Promise<ReadonlySet<string>> => {
  const { allowed } = await send<{ allowed: readonly string[] }>('/access/v1/mine', {
    endpoints: operations.map((each) => `postern/${each}`),
  });
  return new Set(allowed.map((each) => each.slice('postern/'.length)));
};

const needed = { ...seeNeeded, deciding: 'listMyRequests' } as const;

export const pagesOf = async (): Promise<Pages> => {
  const names = Object.keys(needed) as (keyof Pages)[];
  const allowed = await allowedOf([...new Set(Object.values(needed))]);
  return Object.fromEntries(names.map((name) => [name, allowed.has(needed[name])])) as Pages;
};
