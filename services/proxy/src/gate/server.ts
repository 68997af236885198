/**
 * The listener. Requests and upgrades go up the same ladder from a plain node server: a framework's hooks never see an upgrade.
 * Fastify answers the two public documents and nothing else. With a certificate the same server speaks TLS, and HTTP/2 where the
 * client asks for it.
 */
import { createServer, type IncomingMessage, maxHeaderSize, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TlsMaterial } from '@postern/runtime';
import type { ProblemCode } from '@postern/schemas';
import { type FastifyInstance, fastify } from 'fastify';
import type { Asking } from '../authorize/ask.ts';
import { answer, answerSocket } from './door.ts';
import { type Http2Entry, type Http2Limits, http2Entry } from './http2.ts';
import type { Ladder } from './ladder.ts';
import type { Unparsed } from './refusals.ts';
import { type GateTls, type TlsListener, tlsListener } from './tls.ts';

export type Documents = {
  readonly jwks: () => unknown;
  /** The AuthZEN metadata; undefined where there is no decision point to speak of. */
  readonly authzen: () => unknown;
};

const headersTimeoutMs = 20_000;
const keepAliveTimeoutMs = 65_000;
const documentPaths = new Set(['/.well-known/jwks.json', '/.well-known/authzen-configuration']);

const unparsed = (code: string | undefined): { readonly why: string; readonly code?: ProblemCode } => {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { why: `The limit is ${maxHeaderSize} bytes for all headers together.`, code: 'proxy/head-too-large' };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { why: `The head was not there after ${headersTimeoutMs} ms.`, code: 'proxy/request-timeout' };
  return { why: 'It is not HTTP/1.1 as RFC 9112 has it.' };
};

export type GateServer = {
  readonly server: Server;
  readonly app: FastifyInstance;
  /** For connections of another listener that speak HTTP/2 in the clear. */
  readonly clear: Http2Entry;
  /** Connections of HTTP/2 take no new requests; those under way go on. */
  readonly goAway: () => void;
  readonly closeAll: () => void;
  /** New connections get the new certificate; the others keep theirs. */
  readonly configureTls: (material: TlsMaterial) => void;
};
export type GateServerOptions = {
  /** The gate is stopping: each answer is the last on its connection. */
  readonly draining?: () => boolean;
  readonly tls?: GateTls;
  readonly http2?: Http2Limits;
  /** Where other gateways may ask about requests that they hold. */
  readonly asking?: Asking | undefined;
};

export const gateServer = (
  ladder: Ladder,
  documents: Documents,
  { tls, http2, asking, draining = () => false }: GateServerOptions = {},
): GateServer => {
  const onUpgrade = (req: IncomingMessage, socket: Socket, head: Buffer): void => {
    if (asking?.upgrade(req, socket) !== true) ladder.enter({ kind: 'upgrade', req, socket, head });
  };
  const refuseOn = (socket: Socket, about: Unparsed): void => {
    const { id, status, headers, body } = ladder.refuseUnparsed(about);
    const all = { ...headers, 'Postern-Decision': id, 'content-length': String(Buffer.byteLength(body)) };
    answerSocket(socket, status, all, body);
  };
  const tunnel = { why: 'The gate opens no tunnels.', method: 'CONNECT', code: 'proxy/method-not-supported' } as const;
  const entries: Http2Entry[] = [];
  let listener: TlsListener | undefined;
  const serve = (toFastify: (req: IncomingMessage, res: ServerResponse) => void): Server => {
    const handle = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void => {
      const isDocument = documentPaths.has(req.url ?? '') && (req.method === 'GET' || req.method === 'HEAD');
      // Whoever keeps the connection is told to look for another gate.
      if (draining() && req.httpVersionMajor === 1) res.shouldKeepAlive = false;
      if (isDocument) toFastify(req, res);
      else if (asking?.request(req, res) !== true) ladder.enter({ kind: 'request', req, res, expectsContinue });
    };
    const refuse = (req: IncomingMessage, res: ServerResponse, about: Omit<Unparsed, 'remoteAddress'>): void => {
      const { id, ...refusal } = ladder.refuseUnparsed({ remoteAddress: req.socket.remoteAddress, ...about });
      answer({ kind: 'request', req, res, expectsContinue: false }, refusal, id);
    };
    const enterHttp2 = (encrypted: boolean): Http2Entry => {
      const entry = http2Entry(
        {
          onRequest: handle,
          onRefused: (req, res, why) => refuse(req, res, { why: `${why}.`, method: req.method ?? '' }),
          onConnect: (req, res) => refuse(req, res, tunnel),
        },
        encrypted,
        http2,
      );
      entries.push(entry);
      return entry;
    };
    enterHttp2(false);
    const options = {
      insecureHTTPParser: false,
      // Refused on the ladder instead, where it is recorded.
      requireHostHeader: false,
      headersTimeout: headersTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      // Uploads may be long; what is limited is the time to the head and the size of the body.
      requestTimeout: 0,
      // Any other Upgrade (h2c) is ignored, as RFC 9110 §7.8 allows, and its headers end here.
      shouldUpgradeCallback: (req: IncomingMessage) => req.headers.upgrade?.toLowerCase() === 'websocket',
    };
    if (tls !== undefined) listener = tlsListener(options, tls, enterHttp2(true));
    const server = listener?.server ?? createServer(options);
    server.on('request', (req, res) => handle(req, res, false));
    server.on('checkContinue', (req, res) => handle(req, res, true));
    server.on('checkExpectation', (req, res) => handle(req, res, false));
    server.on('upgrade', onUpgrade);
    server.on('connect', (req: IncomingMessage, socket: Socket) =>
      refuseOn(socket, { remoteAddress: req.socket.remoteAddress, ...tunnel }),
    );
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      // A connection that breaks off, or never sent a byte of a request, is no request.
      if (error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE' || !socket.writable)
        return void socket.destroy();
      refuseOn(socket, { remoteAddress: socket.remoteAddress, ...unparsed(error.code) });
    });
    return server;
  };
  let server: Server | undefined;
  const app = fastify({
    serverFactory: (handler) => {
      server = serve(handler);
      return server;
    },
  });
  app.get('/.well-known/jwks.json', (_request, reply) =>
    reply.header('cache-control', 'max-age=60').send(documents.jwks()),
  );
  app.get('/.well-known/authzen-configuration', (_request, reply) => {
    const document = documents.authzen();
    return document === undefined ? reply.callNotFound() : reply.send(document);
  });
  const [clear] = entries;
  if (server === undefined || clear === undefined) throw new TypeError('fastify made no server');
  const made = server;
  return {
    server: made,
    app,
    clear,
    goAway: () => {
      for (const entry of entries) entry.close();
    },
    closeAll: () => {
      made.closeAllConnections();
      for (const entry of entries) entry.destroy();
    },
    configureTls: (material) => listener?.configure(material),
  };
};
