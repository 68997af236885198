/** The circumstances that a condition may ask for: spelled by the gate, never by the caller. */

import type { Clock, CountryOf } from '@postern/runtime';
import type { Context } from '@postern/schemas';
import type { Caller } from '../identify/identity.ts';

/** `now` is one text for a whole second, so that what depends on it can be kept that long. */
export const contexts = (
  clock: Clock,
  countryOf: CountryOf = () => undefined,
): ((ip: string | undefined, caller?: Pick<Caller, 'acr' | 'amr'>) => Context) => {
  let second = -1;
  let now = '';
  return (ip, { acr, amr } = {}) => {
    const current = Math.floor(clock.now() / 1_000);
    if (current !== second) {
      second = current;
      now = `${new Date(current * 1_000).toISOString().slice(0, 19)}Z`;
    }
    const country = ip === undefined ? undefined : countryOf(ip);
    const context: { -readonly [Field in keyof Context]: Context[Field] } = { now };
    if (ip !== undefined) context.ip = ip;
    if (country !== undefined) context.country = country;
    if (acr !== undefined) context.acr = acr;
    if (amr !== undefined) context.amr = amr;
    return context;
  };
};
