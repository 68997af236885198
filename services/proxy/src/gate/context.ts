/** The circumstances that a condition may ask for: spelled by the gate, never by the caller. */

import type { Clock } from '@postern/runtime';
import type { Context } from '@postern/schemas';

/** `now` is one text for a whole second, so that what depends on it can be kept that long. */
export const contexts = (clock: Clock): ((ip: string | undefined) => Context) => {
  let second = -1;
  let now = '';
  return (ip) => {
    const current = Math.floor(clock.now() / 1_000);
    if (current !== second) {
      second = current;
      now = `${new Date(current * 1_000).toISOString().slice(0, 19)}Z`;
    }
    return ip === undefined ? { now } : { now, ip };
  };
};
