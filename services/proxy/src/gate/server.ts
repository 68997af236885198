/**
 * The listener. Requests and upgrades go up the same ladder from a plain node server: a framework's hooks never see an upgrade.
 * Fastify answers the two public documents and nothing else.
 */
import { createServer, type IncomingMessage, maxHeaderSize, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ProblemCode } from '@postern/schemas';
import { type FastifyInstance, fastify } from 'fastify';
import { answerSocket } from './door.ts';
import type { Ladder } from './ladder.ts';

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

export type GateServer = { readonly server: Server; readonly app: FastifyInstance };

export const gateServer = (ladder: Ladder, documents: Documents, draining: () => boolean): GateServer => {
  const onUpgrade = (req: IncomingMessage, socket: Socket, head: Buffer): void =>
    ladder.enter({ kind: 'upgrade', req, socket, head });
  const serve = (toFastify: (req: IncomingMessage, res: ServerResponse) => void): Server => {
    const handle = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void => {
      const isDocument = documentPaths.has(req.url ?? '') && (req.method === 'GET' || req.method === 'HEAD');
      // Whoever keeps the connection is told to look for another gate.
      if (draining() && req.httpVersionMajor === 1) res.shouldKeepAlive = false;
      if (isDocument) toFastify(req, res);
      else ladder.enter({ kind: 'request', req, res, expectsContinue });
    };
    const server = createServer({
      insecureHTTPParser: false,
      // Refused on the ladder instead, where it is recorded.
      requireHostHeader: false,
      headersTimeout: headersTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      // Uploads may be long; what is limited is the time to the head and the size of the body.
      requestTimeout: 0,
      // Any other Upgrade (h2c) is ignored, as RFC 9110 §7.8 allows, and its headers end here.
      shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket',
    });
    server.on('request', (req, res) => handle(req, res, false));
    server.on('checkContinue', (req, res) => handle(req, res, true));
    server.on('checkExpectation', (req, res) => handle(req, res, false));
    server.on('upgrade', onUpgrade);
    server.on('connect', (req: IncomingMessage, socket: Socket) => {
      const { id, status, headers, body } = ladder.refuseUnreadable({
        remoteAddress: req.socket.remoteAddress,
        why: 'The gate opens no tunnels.',
        method: 'CONNECT',
        code: 'proxy/method-not-supported',
      });
      answerSocket(
        socket,
        status,
        { ...headers, 'Postern-Decision': id, 'content-length': String(Buffer.byteLength(body)) },
        body,
      );
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      // A connection that breaks off, or never sent a byte of a request, is no request.
      if (error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE' || !socket.writable)
        return void socket.destroy();
      const { id, status, headers, body } = ladder.refuseUnreadable({
        remoteAddress: socket.remoteAddress,
        ...unparsed(error.code),
      });
      answerSocket(
        socket,
        status,
        { ...headers, 'Postern-Decision': id, 'content-length': String(Buffer.byteLength(body)) },
        body,
      );
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
  if (server === undefined) throw new TypeError('fastify made no server');
  return { server, app };
};
