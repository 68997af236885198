/** A plain HTTP server on a free port of the loopback, gone with its last connection when it is disposed of. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type StubServer = AsyncDisposable & { readonly url: string };

export const startHttp = async (
  handle: (request: IncomingMessage, response: ServerResponse, url: string) => void,
): Promise<StubServer> => {
  let url = '';
  const server = createServer((request, response) => handle(request, response, url));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
