/**
 * One connection to an API, and one exchange at a time on it. What the API sends without being asked, and what follows an answer that was
 * complete, is nobody's answer: the connection ends, so that nobody gets what was meant for another.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Chunks, readChunks } from './chunks.ts';
import { BrokenOff, type Call, ConnectTimedOut, type Listener, MalformedAnswer, type UnderWay } from './exchange.ts';
import { readResponseHead } from './response-head.ts';
import { type Sending, sendBody } from './send-body.ts';

export type Origin = {
  readonly host: string;
  readonly port: number;
  /** Where the API speaks TLS. */
  readonly tls: ConnectionOptions | undefined;
};
export type Connection = {
  /** `head`: the request's, as it is sent. */
  readonly send: (call: Call, head: string, listener: Listener) => UnderWay;
  readonly destroy: () => void;
  /** The monotonic time when it was last let go, for whoever keeps it; ms. */
  idleSince: number;
  /** For how long the API said that it keeps it; ms. */
  readonly keepsMs: () => number | undefined;
};
type Whereabouts = {
  /** It may carry another request. */
  readonly free: (connection: Connection) => void;
  readonly gone: (connection: Connection) => void;
};

const headBytesMax = 16_384;
/** Most heads are shorter. */
const headGlance = 2_048;
/** Bodies up to here leave as one text with their head. */
const oneWriteBytesMax = 65_536;
/** Answers that say only that another will come. */
const interimMax = 32;
const longer = 'it is longer than it says';
const nothing = Buffer.alloc(0);
const noTrailers: readonly string[] = [];

/**
 * What the kernel has for any connection is put here, and is used up or copied before the next is asked: memory for each reading would be
 * claimed and given back thousands of times a second.
 */
const reading = Buffer.allocUnsafeSlow(65_536);

export const openConnection = (origin: Origin, connectMs: number, where: Whereabouts): Connection => {
  let listener: Listener | undefined;
  /** What is sent once there is a connection. */
  let waiting: { readonly call: Call; readonly head: string } | undefined;
  /** The method of the request that an answer is awaited to. */
  let method = '';
  let phase: 'connecting' | 'idle' | 'head' | 'sized' | 'chunked' | 'to-the-end' | 'over' = 'connecting';
  /** Of a head that came in pieces. */
  let begun = nothing;
  let interim = 0;
  let left = 0;
  let chunks: Chunks | undefined;
  let sending: Sending | undefined;
  let persists = true;
  let paused = false;
  let keepsMs: number | undefined;
  let broken: Error | undefined;

  const destroy = (): void => {
    phase = 'over';
    listener = undefined;
    waiting = undefined;
    sending?.stop();
    sending = undefined;
    socket.destroy();
  };
  const fail = (error: Error): void => {
    const told = listener;
    destroy();
    told?.failed(error);
  };
  const malformed = (why: string): void => fail(new MalformedAnswer(`The answer cannot be read: ${why}.`));

  const resume = (): void => {
    if (!paused) return;
    paused = false;
    socket.resume();
  };

  /** The answer is complete; `rest`: octets that came along with its end. */
  const finish = (trailers: readonly string[], rest: number): void => {
    if (rest > 0) {
      malformed(longer);
      return;
    }
    const told = listener;
    listener = undefined;
    chunks = undefined;
    // An answer that came before the request had gone leaves a connection that waits for the rest of that request.
    if (!persists || sending?.done() === false) destroy();
    else {
      sending = undefined;
      phase = 'idle';
      // Whoever paused it has what there is, and the next one did not ask for a pause.
      resume();
      where.free(connection);
    }
    told?.ended(trailers);
  };

  const takeHead = (octets: Buffer, from: number): number => {
    const known = begun.length > 0;
    const seen = known ? Buffer.concat([begun, octets.subarray(from)]) : octets;
    const start = known ? 0 : from;
    let text = seen.toString('latin1', start, Math.min(seen.length, start + headGlance));
    let end = text.indexOf('\r\n\r\n');
    if (end === -1 && seen.length - start > headGlance) {
      text = seen.toString('latin1', start, Math.min(seen.length, start + headBytesMax));
      end = text.indexOf('\r\n\r\n');
    }
    if (end === -1) {
      if (seen.length - start >= headBytesMax) malformed(`its head is longer than ${headBytesMax} bytes`);
      else begun = Buffer.from(seen.subarray(start));
      return octets.length;
    }
    const bodyAt = from + end + 4 - begun.length;
    begun = nothing;
    const head = readResponseHead(text.slice(0, end + 2), method);
    if ('why' in head) malformed(head.why);
    else if (typeof head.body === 'number' && head.status >= 200 && octets.length - bodyAt > head.body)
      malformed(longer);
    else if (head.status < 200) {
      if (head.status === 101) malformed('it switches to a protocol that nobody asked for');
      else if (++interim > interimMax) malformed('nothing but interim answers comes');
    } else {
      interim = 0;
      persists = head.persists;
      keepsMs = head.keepsMs;
      if (head.body === 'chunked') {
        phase = 'chunked';
        chunks = readChunks(
          (content) => listener?.data(content),
          () => listener === undefined,
        );
      } else if (head.body === 'to-the-end') phase = 'to-the-end';
      else {
        phase = 'sized';
        left = head.body;
      }
      listener?.head(head.status, head.message, head.raw, head.length);
      // What has no body ends with its head.
      if (phase === 'sized' && left === 0 && listener !== undefined) finish(noTrailers, octets.length - bodyAt);
    }
    return bodyAt;
  };

  /** What came is taken to its end, or as far as anybody wants it. */
  const take = (octets: Buffer): void => {
    let at = 0;
    while (at < octets.length) {
      if (phase === 'head') at = takeHead(octets, at);
      else if (phase === 'sized') {
        const upTo = Math.min(octets.length, at + left);
        const part = octets.subarray(at, upTo);
        left -= upTo - at;
        at = upTo;
        listener?.data(part);
        if (phase === 'sized' && left === 0) finish(noTrailers, octets.length - at);
      } else if (phase === 'to-the-end') {
        listener?.data(octets.subarray(at));
        return;
      } else if (phase === 'chunked' && chunks !== undefined) {
        const body = chunks;
        const ended = body.take(octets, at);
        if (ended === undefined) return;
        if (typeof ended === 'object') {
          malformed(ended.why);
          return;
        }
        at = ended;
        if (phase === 'chunked') finish(body.trailers(), octets.length - at);
      } else {
        if (phase === 'idle') destroy();
        return;
      }
    }
  };

  const { host, port, tls } = origin;
  const socket: Socket =
    tls === undefined
      ? connectPlain({
          host,
          port,
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: 60_000,
          onread: {
            buffer: reading,
            callback: (bytes) => {
              take(reading.subarray(0, bytes));
              return true;
            },
          },
        })
      : connectTls({ ...tls, host, port });
  if (tls !== undefined) {
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    socket.on('data', take);
  }
  const late = setTimeout(() => {
    broken = new ConnectTimedOut(`No connection to ${host}:${port} after ${connectMs} ms.`);
    socket.destroy();
  }, connectMs);
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
    clearTimeout(late);
    if (phase !== 'connecting') return;
    phase = 'idle';
    if (waiting !== undefined && listener !== undefined) start(waiting.call, waiting.head, listener);
  });
  socket.on('error', (error) => {
    broken ??= error;
  });
  socket.on('end', () => {
    if (phase === 'to-the-end') finish(noTrailers, 0);
  });
  socket.once('close', () => {
    clearTimeout(late);
    if (listener !== undefined) fail(broken ?? new BrokenOff('The connection ended before the answer did.'));
    phase = 'over';
    where.gone(connection);
  });

  const start = ({ method: asked, body }: Call, head: string, told: Listener): void => {
    waiting = undefined;
    method = asked;
    listener = told;
    persists = true;
    phase = 'head';
    told.sent();
    // Whoever is told may have ended it.
    if (listener !== told) return;
    if (body === null) socket.write(head, 'latin1');
    else if (!Buffer.isBuffer(body)) {
      socket.write(head, 'latin1');
      sending = sendBody(body, socket, fail);
    } else if (body.length <= oneWriteBytesMax) socket.write(head + body.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  };

  const connection: Connection = {
    idleSince: 0,
    keepsMs: () => keepsMs,
    destroy,
    send: (call, head, told) => {
      if (phase === 'idle') start(call, head, told);
      else {
        waiting = { call, head };
        listener = told;
      }
      return {
        pause: () => {
          if (listener !== told) return;
          paused = true;
          socket.pause();
        },
        resume: () => {
          if (listener === told) resume();
        },
        abort: () => {
          if (listener === told) destroy();
        },
      };
    },
  };
  return connection;
};
