/** HTTP/2 in the clear, by prior knowledge alone (RFC 9113 §3.3): for a mesh whose sidecars encrypt. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { cannotListen, splitAddress } from '@postern/runtime';
import type { Http2Entry } from './http2.ts';

export type ClearListener = {
  /** `reusePort`: another process may take the same port. */
  readonly start: (reusePort: boolean) => Promise<void>;
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  /** Resolves when the last connection has ended. */
  readonly close: () => Promise<void>;
};

export const clearListener = (address: string, http2: Http2Entry): ClearListener => {
  const server = createServer((socket: Socket) => http2.enter(socket));
  return {
    start: (reusePort) =>
      new Promise((resolve, reject) => {
        server.once('error', (error) => reject(cannotListen(address, error)));
        server.listen({ ...splitAddress(address), reusePort }, resolve);
      }),
    address: () => {
      const found = server.address() as AddressInfo | null;
      return found === null ? undefined : { host: found.address, port: found.port };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};
