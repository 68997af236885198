/** Puts a room's HTTP API on an address, as a service of its own: started after the room, stopped before it. */
import { listen } from './address.ts';
import type { Room, Service } from './service.ts';

export type HttpListener = Service & {
  /** Base URL, with the port that was taken; only after the start. */
  readonly url: () => string;
};

export const httpListener = ({ name, http }: Room, address: string): HttpListener => {
  let url: string | undefined;
  return {
    name: `${name} listener`,
    url: () => {
      if (url === undefined) throw new Error(`${name} does not listen yet`);
      return url;
    },
    notReady: () => [],
    start: async () => {
      url = await listen(http, address);
    },
    stop: async () => {},
  };
};
