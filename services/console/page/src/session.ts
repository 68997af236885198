/** Who is signed in, and which pages the graph lets them see. */
import { ApiFailure, ask, askJson, send } from './api.ts';
import { type SeePages, seeNeeded } from './see-needed.ts';

export type Session = { readonly principal: string | null; readonly credential?: string };
export type Pages = SeePages & { readonly deciding: boolean };

/** A credential that is not live any more is as good as none. */
export const whoAmI = async (): Promise<Session> => {
  try {
    return await askJson<Session>('/console/session');
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 401) return { principal: null };
    throw error;
  }
};

/** The key goes into the header once, for the gate to judge, and into the cookie, which no script can read. */
export const signIn = async (key: string): Promise<void> => {
  await ask('/console/session', {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
};

/** Without the page's header the cookie does not count, so that one with a dead key can be dropped too. */
export const signOut = async (): Promise<void> => {
  await ask('/console/session', { method: 'DELETE', headers: { 'postern-console': '0' } });
};

const needed = { ...seeNeeded, deciding: 'listMyRequests' } as const;
const none: Pages = { now: false, access: false, time: false, model: false, record: false, deciding: false };

export const pagesOf = async ({ principal, credential }: Session): Promise<Pages> => {
  const [type = '', id = ''] = split(credential ?? principal ?? '');
  const names = Object.keys(needed) as (keyof Pages)[];
  try {
    const { evaluations } = await send<{ evaluations: { decision: boolean }[] }>('/access/v1/evaluations', {
      subject: { type, id },
      action: { name: 'call' },
      evaluations: names.map((name) => ({ resource: { type: 'endpoint', id: `postern/${needed[name]}` } })),
    });
    return Object.fromEntries(names.map((name, at) => [name, evaluations[at]?.decision === true])) as Pages;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 403) return { ...none, deciding: await mayDecide() };
    throw error;
  }
};

/** For whoever may not ask what they may: the one page that members have is asked for itself. */
const mayDecide = async (): Promise<boolean> => {
  try {
    await ask('/requests/mine');
    return true;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 403) return false;
    throw error;
  }
};

const split = (name: string): readonly string[] => {
  const at = name.indexOf(':');
  return [name.slice(0, at), name.slice(at + 1)];
};
