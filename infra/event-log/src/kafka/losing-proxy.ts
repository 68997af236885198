/** For tests: stands between clients and a broker, and on demand lets a write through but not its acknowledgement. */
import { connect, createServer, type Socket } from 'node:net';

export type LosingProxy = AsyncDisposable & {
  readonly address: string;
  /** Where connections go from now on. */
  readonly pointAt: (target: { readonly host: string; readonly port: number }) => void;
  /** Drops the answers to the next `count` writes, each together with its connection. */
  readonly lose: (count: number) => void;
  readonly lost: () => number;
};

const produceKey = 0;

export const losingProxy = async (): Promise<LosingProxy> => {
  const sockets = new Set<Socket>();
  let target = { host: '127.0.0.1', port: 0 };
  let toLose = 0;
  let lost = 0;

  const server = createServer((client) => {
    const broker = connect(target);
    const end = () => {
      client.destroy();
      broker.destroy();
    };
    let losing = false;
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      // Requests come one at a time on a connection that waits for each answer, so that each begins a chunk: length, then its kind.
      if (
        toLose > 0 &&
        chunk.byteLength > 6 &&
        chunk.readInt16BE(4) === produceKey &&
        chunk.readInt32BE(0) >= chunk.byteLength - 4
      ) {
        toLose--;
        lost++;
        losing = true;
      }
      broker.write(chunk);
    });
    broker.on('data', (chunk) => {
      // The answer proves that the broker has written; the client never sees it.
      if (losing) end();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    address: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    pointAt: (to) => {
      target = to;
    },
    lose: (count) => {
      toLose = count;
    },
    lost: () => lost,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
