/** The two ways in, told apart only here: an answer looks the same through both. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusal } from '../refusal.ts';

export type Door =
  | {
      readonly kind: 'request';
      readonly req: IncomingMessage;
      readonly res: ServerResponse;
      readonly expectsContinue: boolean;
    }
  | { readonly kind: 'upgrade'; readonly req: IncomingMessage; readonly socket: Socket; readonly head: Buffer };

/** Unread bodies up to this many bytes are read away, so that the connection can go on. */
const drainedBytesMax = 65_536;

/** The connection is closed behind this answer, and the caller is told so, as far as it can still be told. */
export const lastOf = (door: Door): void => {
  if (door.kind === 'request' && !door.res.headersSent && door.req.httpVersionMajor === 1)
    door.res.shouldKeepAlive = false;
};

export const answer = (door: Door, { status, headers, body }: Refusal, decision: string): void => {
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
  const unread =
    !req.complete &&
    (req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > drainedBytesMax);
  res.writeHead(status, unread || expectsContinue ? { ...all, connection: 'close' } : all);
  res.end(req.method === 'HEAD' ? undefined : body);
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
