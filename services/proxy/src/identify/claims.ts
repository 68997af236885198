/** What a verified token says besides who it is: how its holder logged in, and what it was delegated. */
import type { Issuer } from '@postern/schemas';
import type { Caller } from './identity.ts';

/** More, or longer ones, and the claim is as good as absent: a condition on it is then unmet. */
const methodsMax = 32;
const lengthMax = 200;

export type Claims = { readonly [name: string]: unknown };

export const readAuthentication = ({ acr, amr }: Claims): Pick<Caller, 'acr' | 'amr'> => ({
  ...(isText(acr) && { acr }),
  ...(Array.isArray(amr) && amr.length <= methodsMax && amr.every(isText) && { amr: [...new Set<string>(amr)].sort() }),
});

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= lengthMax;

/** Undefined where the token is not delegated. Where it carries both usual claims, only what both name was delegated. */
export const readScopes = (claims: Claims, { claim, required }: Issuer['scopes']): readonly string[] | undefined => {
  const names = claim === undefined ? ['scope', 'scp'] : [claim];
  const carried = names.flatMap((name) => (claims[name] === undefined ? [] : [toScopes(claims[name])]));
  const [first, ...others] = carried;
  if (first === undefined) return required ? [] : undefined;
  return first.filter((scope) => others.every((each) => each.includes(scope)));
};

/** RFC 6749 §3.3: a text parted by spaces; some issuers write a list. Anything else delegates nothing. */
const toScopes = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '');
  return Array.isArray(value) ? value.filter((scope) => typeof scope === 'string') : [];
};
