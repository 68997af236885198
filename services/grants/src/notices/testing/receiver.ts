/** A receiver of notices that does as it is told. Used by tests only. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };
  readonly atMs: number;
};

/** `answer` says what becomes of the n-th request, from 1; a number is a status, `hang` no answer at all. */
export const receiver = async (
  answer: (n: number, received: Received) => number | 'hang' | ((response: ServerResponse) => void) = () => 204,
) => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const one = { headers: request.headers, body, event: JSON.parse(body), atMs: performance.now() };
      received.push(one);
      const told = answer(received.length, one);
      if (typeof told === 'function') told(response);
      else if (told !== 'hang') response.writeHead(told).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    received,
    port,
    url: `http://127.0.0.1:${port}/hook?key=hidden`,
    /** Resolves once so many came. */
    came: async (count: number): Promise<readonly Received[]> => {
      for (let tries = 0; received.length < count; tries++) {
        if (tries > 1_000) throw new Error(`${received.length} of ${count} came`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return received;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
