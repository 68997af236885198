/** Picks the credential out of the request: one, or none; two that differ are refused, for nobody can say which one counts. */

import type { Clock } from '@postern/runtime';
import type { Organisation } from '@postern/schemas';
import { apiKeyPrefix, identifyByApiKey } from './api-key.ts';
import { type Identity, identityHolds } from './identity.ts';
import type { JwtIdentifier } from './jwt.ts';

export type Credentials = { readonly authorization?: string | undefined; readonly apiKey?: string | undefined };
export type Identify = (credentials: Credentials) => Identity | Promise<Identity>;

const bearer = /^bearer +([\x21-\x7e]+) *$/i;

export const identifier =
  (organisation: Organisation, jwt: JwtIdentifier, clock: Clock): Identify =>
  ({ authorization, apiKey }) => {
    if (authorization === undefined && apiKey === undefined) return { kind: 'none' };
    const token = authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
    if (authorization !== undefined && token === undefined)
      return { kind: 'bad', why: 'only Bearer credentials are read' };
    if (apiKey !== undefined && token !== undefined && apiKey !== token) return { kind: 'two' };
    const key = apiKey ?? (token?.startsWith(apiKeyPrefix) ? token : undefined);
    if (key !== undefined) return identifyByApiKey(key, organisation, clock.now());
    if (token === undefined) return { kind: 'none' };
    const identity = jwt.identify(token);
    return identity instanceof Promise ? identity.then(live) : live(identity);

    function live(found: Identity): Identity {
      return found.kind === 'caller' && !identityHolds(found, organisation, clock.now())
        ? { kind: 'session-revoked' }
        : found;
    }
  };
