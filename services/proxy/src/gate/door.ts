/** The ways in, told apart only here: an answer looks the same through all of them. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { grpcStatus, isGrpc } from '../forward/grpc.ts';
import type { Refusal } from '../refusal.ts';
import type { RequestHead } from './read.ts';

export type Door =
  | {
      readonly kind: 'request';
      readonly req: IncomingMessage;
      readonly res: ServerResponse;
      readonly expectsContinue: boolean;
    }
  | { readonly kind: 'upgrade'; readonly req: IncomingMessage; readonly socket: Socket; readonly head: Buffer }
  | Asked;

/** Somebody else's gateway holds the request and asks what to do with it. */
export type Asked = {
  readonly kind: 'asked';
  readonly via: 'forward' | 'ext-authz';
  /** The request as the gateway describes it. */
  readonly req: RequestHead;
  readonly switches: boolean;
  /** All of it, where the gateway sent it along. */
  readonly body?: Buffer;
  readonly allow: (word: GateWord) => void;
  readonly refuse: (refusal: Refusal, decision: string) => void;
  readonly over: { readonly once: (event: 'close', listener: () => void) => unknown };
};
/** What is told to the API along with an allowed request. */
export type GateWord = { readonly decision: string; readonly assertion?: string; readonly observed: boolean };

/** Does the request ask for another protocol on its connection? */
export const switchesProtocol = (door: Door): boolean =>
  door.kind === 'upgrade' || (door.kind === 'asked' && door.switches);

/** Unread bodies up to this many bytes are read away, so that the connection can go on. */
const drainedBytesMax = 65_536;

/** The connection is closed behind this answer, and the caller is told so, as far as it can still be told. */
export const lastOf = (door: Door): void => {
  if (door.kind === 'request' && !door.res.headersSent && door.req.httpVersionMajor === 1)
    door.res.shouldKeepAlive = false;
};

export const answer = (door: Door, refusal: Refusal, decision: string): void => {
  if (door.kind === 'asked') {
    door.refuse(refusal, decision);
    return;
  }
  const { status, headers, body } = refusal;
  const all = { ...headers, 'Postern-Decision': decision, 'content-length': String(Buffer.byteLength(body)) };
  if (door.kind === 'upgrade') answerSocket(door.socket, status, all, body);
  else answerRequest(door, status, all, body);
};

const answerRequest = (
  { req, res, expectsContinue }: Extract<Door, { kind: 'request' }>,
  status: number,
  all: Readonly<Record<string, string>>,
  body: string,
): void => {
  if (res.headersSent || res.destroyed) return;
  if (req.httpVersionMajor >= 2) {
    answerStream(req, res, status, all, body);
    return;
  }
  const unread =
    !req.complete &&
    (req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > drainedBytesMax);
  res.writeHead(status, unread || expectsContinue ? { ...all, connection: 'close' } : all);
  res.end(req.method === 'HEAD' ? undefined : body);
};

/** No other request waits behind this one, so nothing is to be closed. gRPC has its own word for a refusal. */
const answerStream = (
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  all: Readonly<Record<string, string>>,
  body: string,
): void => {
  const grpc = isGrpc(req.headers['content-type']);
  const { 'content-length': _length, 'content-type': _type, ...others } = all;
  const { detail, title } = grpc && body !== '' ? (JSON.parse(body) as { detail?: string; title?: string }) : {};
  const headers = grpc
    ? { ...others, 'content-type': 'application/grpc', ...grpcStatus(status, detail ?? title ?? '') }
    : all;
  res.statusCode = grpc ? 200 : status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (grpc || req.method === 'HEAD') res.end();
  else res.end(body);
};

export const answerSocket = (
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void => {
  if (socket.destroyed || !socket.writable) return;
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
};
