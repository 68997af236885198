/** HTTP/2 connections to one API: as many as its streams need, each replaced as soon as it takes no more of them. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';

export type Http2Sessions = {
  /** A new stream. Throws only where no session can be made at all; a connection that fails ends its streams with an error. */
  readonly request: (headers: OutgoingHttpHeaders, options: ClientSessionRequestOptions) => ClientHttp2Stream;
  /** How many connections there are. */
  readonly size: () => number;
  readonly close: () => void;
  /** Takes no more streams; those under way end by themselves. */
  readonly retire: () => void;
};

/** Streams on one connection, at most; the API may say less. Beyond it another connection is opened: nobody queues behind a stream. */
const streamsMax = 100;
/** What one stream may have sent unread: a slow caller holds this much and no more. */
const streamWindowBytes = 262_144;
/** A connection without a stream is closed after this long. */
const idleMs = 60_000;
/** With streams that are silent, the other side has to show that it is there. */
const pingEveryMs = 30_000;

type Held = { readonly session: ClientHttp2Session; readonly streams: Set<ClientHttp2Stream> };

export const http2Sessions = (origin: URL): Http2Sessions => {
  const held = new Set<Held>();

  const open = (): Held => {
    const session = connect(origin.origin, {
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
      ...(origin.protocol === 'https:' && { ALPNProtocols: ['h2'] }),
    });
    const one: Held = { session, streams: new Set() };
    held.add(one);
    const leave = (): void => {
      held.delete(one);
      clearInterval(pinging);
    };
    let answered = true;
    const pinging = setInterval(() => {
      if (one.streams.size === 0 || session.connecting || session.destroyed) return;
      if (!answered) return void session.destroy();
      answered = false;
      session.ping(() => {
        answered = true;
      });
    }, pingEveryMs).unref();
    session.setTimeout(idleMs, () => {
      if (one.streams.size === 0) session.close();
    });
    // Its streams end with the error, and no other begins here.
    session.on('error', leave);
    // What the API has begun comes to its end; what it has not looked at ends as refused.
    session.on('goaway', leave);
    session.on('close', leave);
    return one;
  };
  const takes = ({ session, streams }: Held): boolean =>
    !session.closed &&
    !session.destroyed &&
    streams.size < Math.min(streamsMax, session.remoteSettings.maxConcurrentStreams ?? streamsMax);

  return {
    request: (headers, options) => {
      const one = [...held].find(takes) ?? open();
      const stream = one.session.request(headers, options);
      one.streams.add(stream);
      stream.once('close', () => one.streams.delete(stream));
      return stream;
    },
    size: () => held.size,
    close: () => {
      for (const { session } of [...held]) session.destroy();
    },
    retire: () => {
      for (const { session } of [...held]) session.close();
    },
  };
};
