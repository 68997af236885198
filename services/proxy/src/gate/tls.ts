/** The same HTTP server behind TLS: certificates that can be exchanged, HTTP/2 by ALPN, clients asked for theirs where configured. */
import { constants } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type TlsMaterial, toContext } from '@postern/runtime';
import { markPresented } from '../identify/presented.ts';
import type { Http2Entry } from './http2.ts';

const handshakeTimeoutMs = 10_000;

export type GateTls = {
  readonly material: TlsMaterial;
  /** Of the client authorities that a new connection is checked against. */
  readonly generation: () => number;
  readonly handshakeFailed: (error: Error) => void;
};

export type TlsListener = { readonly server: Server; readonly configure: (material: TlsMaterial) => void };

export const tlsListener = (
  options: ServerOptions,
  { material, generation, handshakeFailed }: GateTls,
  http2: Http2Entry,
): TlsListener => {
  const server = createServer({
    ...options,
    ...context(material),
    ...asking(material),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
  });
  // What a connection is checked against is settled when it begins, and may have changed when its handshake is over.
  const begun = new Map<string, number>();
  const peer = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const key = peer(socket);
    begun.set(key, generation());
    socket.once('close', () => begun.delete(key));
  });
  const [http1, ...others] = server.listeners('secureConnection');
  if (http1 === undefined || others.length > 0) throw new TypeError('node serves HTTPS in another way than is known');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    markPresented(socket, begun.get(peer(socket)) ?? 0);
    if (socket.alpnProtocol === 'h2') http2.enter(socket);
    else http1.call(server, socket);
  });
  // A handshake that fails is no request that could be answered.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    socket.destroy();
    handshakeFailed(error);
  });
  return {
    server: server as unknown as Server,
    configure: (next) => {
      server.setSecureContext(context(next));
      // node reads these anew for each connection; its types know them as options only.
      Object.assign(server, asking(next));
    },
  };
};

/**
 * A session that is resumed is not checked again: neither against today's authorities nor for its certificate's end, and one begun
 * under another name would count too. So where clients show certificates, every connection shows its own.
 */
const context = (material: TlsMaterial) => ({
  ...toContext(material),
  secureOptions: material.clients === undefined ? 0 : constants.SSL_OP_NO_TICKET,
});

const asking = ({ clients }: TlsMaterial) => ({
  requestCert: clients !== undefined,
  rejectUnauthorized: clients?.required === true,
});
