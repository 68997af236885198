/**
 * Clear-text HTTP/2 for callers that know of it beforehand, on an address of its own: gRPC behind something that ends TLS. There is no
 * upgrade from HTTP/1.1 and no second protocol on this port, so there is nothing to be smuggled between the two.
 */
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { listen as take } from '@postern/runtime';
import { enterByHttp2 } from './http2.ts';
import type { Ladder } from './ladder.ts';

export type H2cListener = {
  readonly start: () => Promise<void>;
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  /** Takes no new requests; those under way go on. */
  readonly drain: () => void;
  readonly stop: () => void;
};

const streamsMax = 250;
const headBytesMax = 16_384;
const idleMs = 65_000;

/** `listen` is HOST:PORT; undefined opens nothing. */
export const h2cListener = (ladder: Ladder, listen: string | undefined): H2cListener => {
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | undefined;
  const open = (): Http2Server => {
    const made = createServer({
      settings: { enablePush: false, maxConcurrentStreams: streamsMax, maxHeaderListSize: headBytesMax },
    });
    made.on('session', (session) => {
      let streams = 0;
      sessions.add(session);
      session.once('close', () => sessions.delete(session));
      session.on('error', () => session.destroy());
      session.on('stream', (stream) => {
        streams++;
        stream.once('close', () => {
          streams--;
        });
      });
      // Streams may be silent for long; a connection without one may not.
      session.setTimeout(idleMs, () => {
        if (streams === 0) session.close();
      });
    });
    made.on('request', (req, res) => enterByHttp2(ladder, req, res));
    made.on('sessionError', () => {});
    return made;
  };
  return {
    start: async () => {
      if (listen === undefined) return;
      const made = open();
      const bound = (at: { host: string; port: number }): Promise<string> =>
        new Promise((resolve, reject) => {
          made.once('error', reject);
          made.listen(at, () => resolve(listen));
        });
      await take({ listen: bound }, listen);
      server = made;
    },
    address: () => {
      const address = server?.address() as AddressInfo | null | undefined;
      return address ? { host: address.address, port: address.port } : undefined;
    },
    drain: () => {
      server?.close();
      for (const session of sessions) session.close();
    },
    stop: () => {
      for (const session of [...sessions]) session.destroy();
    },
  };
};
