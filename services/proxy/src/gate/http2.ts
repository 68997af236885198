/**
 * HTTP/2 from clients, up the same ladder: each stream is shown to it as the HTTP/1.1 request that it means (RFC 9113 §8.3.1), and
 * what could mean two is refused first. WebSockets stay with HTTP/1.1: extended CONNECT is not offered.
 */
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import {
  constants,
  createServer,
  type Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { toHttp1 } from './http1-view.ts';

export type Http2Limits = {
  /** Requests under way on one connection. */
  readonly concurrentStreamsMax: number;
  /** Streams that a client may reset at once, and each second after that, before its connection ends. */
  readonly resetsBurst: number;
  readonly resetsPerSecond: number;
  /** Bytes of one request's header fields, names and values. */
  readonly headerBytesMax: number;
  /** A connection without a request under way is closed after it, in ms. */
  readonly idleMs: number;
};
export const http2Limits: Http2Limits = {
  concurrentStreamsMax: 128,
  resetsBurst: 500,
  resetsPerSecond: 50,
  headerBytesMax: 32_768,
  idleMs: 65_000,
};
const headerPairsMax = 200;
const invalidFramesMax = 20;
const rejectedStreamsMax = 100;
const sessionMegabytesMax = 10;

export type Http2Handlers = {
  readonly onRequest: (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;
  /** Answers with a refusal that is written down. */
  readonly onRefused: (req: IncomingMessage, res: ServerResponse, why: string) => void;
  readonly onConnect: (req: IncomingMessage, res: ServerResponse) => void;
};
export type Http2Entry = {
  /** A connection that speaks HTTP/2, by ALPN or by prior knowledge. */
  readonly enter: (socket: Duplex) => void;
  /** No new requests; what is under way goes on. */
  readonly close: () => void;
  readonly destroy: () => void;
};

export const http2Entry = (
  { onRequest, onRefused, onConnect }: Http2Handlers,
  encrypted: boolean,
  limits: Http2Limits = http2Limits,
): Http2Entry => {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({
    Http2ServerResponse: GateResponse,
    settings: {
      maxConcurrentStreams: limits.concurrentStreamsMax,
      maxHeaderListSize: limits.headerBytesMax,
      enableConnectProtocol: false,
      enablePush: false,
    },
    maxHeaderListPairs: headerPairsMax,
    maxSessionInvalidFrames: invalidFramesMax,
    maxSessionRejectedStreams: rejectedStreamsMax,
    maxSessionMemory: sessionMegabytesMax,
    streamResetBurst: limits.resetsBurst,
    streamResetRate: limits.resetsPerSecond,
  });
  server.on('session', (session) => {
    sessions.add(session);
    let open = 0;
    session.on('stream', (stream) => {
      open++;
      stream.once('close', () => open--);
    });
    session.setTimeout(limits.idleMs, () => {
      if (open === 0) session.close();
    });
    session.on('error', () => session.destroy());
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', (_error, session) => session.destroy());
  const handle = (expectsContinue: boolean) => (req: Http2ServerRequest, res: GateResponse) => {
    const { stream } = req;
    // RFC 9113 §8.1: whoever has its whole answer need not send the rest.
    res.once('finish', () => {
      if (!stream.readableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
    const [asRequest, asResponse] = [asHttp1(req), asHttp1Response(res)];
    const view = toHttp1(req.rawHeaders, { encrypted, hasBody: !stream.endAfterHeaders });
    Object.defineProperty(req, 'rawHeaders', { value: 'why' in view ? [] : view.rawHeaders });
    if ('why' in view) onRefused(asRequest, asResponse, view.why);
    else onRequest(asRequest, asResponse, expectsContinue);
  };
  server.on('request', handle(false));
  server.on('checkContinue', handle(true));
  server.on('checkExpectation', handle(false));
  server.on('connect', (req: Http2ServerRequest, res: GateResponse) => onConnect(asHttp1(req), asHttp1Response(res)));
  return {
    enter: (socket) => void server.emit('connection', socket),
    close: () => {
      for (const session of sessions) session.close();
    },
    destroy: () => {
      for (const session of sessions) session.destroy();
    },
  };
};

/** node's own stand-ins for HTTP/1.1's objects: all that the ladder uses of these is there. */
const asHttp1 = (req: Http2ServerRequest): IncomingMessage => req as unknown as IncomingMessage;
const asHttp1Response = (res: Http2ServerResponse): ServerResponse => res as unknown as ServerResponse;

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[] | readonly string[];

class GateResponse<Request extends Http2ServerRequest = Http2ServerRequest> extends Http2ServerResponse<Request> {
  /** HTTP/2 has neither a reason phrase nor headers about the connection (RFC 9113 §8.2.2, §8.3.2). */
  override writeHead(status: number, second?: string | Headers, third?: Headers): this {
    const headers = third ?? (typeof second === 'string' ? undefined : second) ?? {};
    return super.writeHead(status, withoutConnection(headers));
  }
  /** Half an answer must not look like a whole one: node's own ends the stream without an error. */
  override destroy(): this {
    if (!this.stream.destroyed) this.stream.close(constants.NGHTTP2_CANCEL);
    return this;
  }
}

// Its types promise this of every writable stream; node's stand-in has it not.
Object.defineProperty(GateResponse.prototype, 'destroyed', {
  get(this: GateResponse): boolean {
    return this.stream.destroyed || this.stream.closed;
  },
});

const ofTheConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const withoutConnection = (headers: Headers): OutgoingHttpHeaders => {
  if (!Array.isArray(headers))
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheConnection.has(name.toLowerCase())));
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (!ofTheConnection.has(String(headers[at]).toLowerCase()))
      kept.push(String(headers[at]), String(headers[at + 1]));
  // node takes name and value by turns here as HTTP/1.1's writeHead does; its types do not say so yet.
  return kept as unknown as OutgoingHttpHeaders;
};
