/**
 * Requests to an API that speaks HTTP/2, and their answers with their trailers: the way of gRPC. Neither side is read faster than the
 * other takes it, and either side's end is the other's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2';
import { Readable, Transform, type Writable } from 'node:stream';
import type { ProblemCode } from '@postern/schemas';
import { type Cut, type Outgoing, responseHeaders, type Watch } from './forwarding.ts';
import { grpcStatus, isGrpc } from './grpc.ts';
import type { Http2Sessions } from './http2-sessions.ts';
import { rewriting, Unrewritable } from './rewrite.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants;
/** RFC 9113 §8.7: the API has not looked at it. */
const attemptsMax = 2;
/** How long a caller that reads nothing may keep an answer open that was cut, in ms. */
const cutTimeoutMs = 200;

/** Of a request, for an API that refuses to look at it. */
const keptBytesMax = 65_536;

class BodyTooLarge extends Error {}

export const forwardHttp2 = (
  req: IncomingMessage,
  res: ServerResponse,
  out: Outgoing,
  watch: Watch,
  sessions: Http2Sessions,
): Cut => {
  let stream: ClientHttp2Stream | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    stream?.close(NGHTTP2_CANCEL);
    watch.ended();
  };
  const fail = (code: ProblemCode, detail?: string): void => {
    if (over) return;
    // Half an answer must not look like a whole one.
    if (res.headersSent || res.destroyed) res.destroy();
    else watch.failed(code, detail);
    end();
  };
  res.once('close', end);
  res.on('error', () => res.destroy());

  const body = bodyOf(req, out);
  const headers = toHttp2(out);
  const sent = body === undefined ? undefined : replayable(body);
  const begin = (attempt: number): void => {
    let ours: ClientHttp2Stream;
    try {
      ours = sessions.request(headers, { endStream: body === undefined });
    } catch {
      fail('proxy/upstream-unreachable');
      return;
    }
    stream = ours;
    let answered = false;
    let complete = false;
    const trailers: string[] = [];
    // The answer is waited for from when the API has the whole request: a caller may take its time with a stream of messages.
    const wait = (): void => {
      if (!answered && !over) timer = setTimeout(() => fail('proxy/upstream-timeout'), out.upstream.timeoutMs);
    };
    ours.once('response', (_headers, flags, raw: string[]) => {
      answered = true;
      clearTimeout(timer);
      if (over) return;
      const { status, rest } = statusIn(raw);
      answerWith(ours, status, rest, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    });
    ours.once('trailers', (_headers, _flags, raw: string[]) => trailers.push(...trailersIn(raw)));
    ours.once('end', () => {
      complete = true;
    });
    ours.on('error', () => {});
    ours.once('close', () => {
      if (over || complete) return;
      if (!answered && attempt < attemptsMax && sent?.kept() !== false && ours.rstCode === NGHTTP2_REFUSED_STREAM) {
        clearTimeout(timer);
        return begin(attempt + 1);
      }
      fail('proxy/upstream-unreachable');
    });
    if (sent === undefined) wait();
    else {
      ours.once('finish', wait);
      sent.into(ours, (error) =>
        fail(error instanceof BodyTooLarge ? 'proxy/body-too-large' : 'proxy/upstream-unreachable'),
      );
    }

    const answerWith = (from: ClientHttp2Stream, status: number, raw: readonly string[], only: boolean): void => {
      let sink: Writable = res;
      const finish = (): void => {
        if (trailers.length > 0 && takesTrailers(req)) res.addTrailers(joined(trailers));
        res.end();
      };
      if (out.rewrite !== undefined) {
        const changed = rewriting(status, raw, out.rewrite);
        if (changed.outcome === 'refused') {
          fail('proxy/upstream-unreadable', changed.why);
          return;
        }
        const { through } = changed;
        const head = (): void => {
          if (!over && !res.headersSent) res.writeHead(status, responseHeaders(changed.headers, out));
        };
        if (changed.stream) {
          head();
          res.flushHeaders();
        }
        through.on('data', (chunk: Buffer) => {
          if (over) return;
          head();
          if (res.write(chunk)) return;
          through.pause();
          res.once('drain', () => through.resume());
        });
        through.once('end', () => {
          head();
          if (!over) finish();
        });
        through.once('error', (error) =>
          fail('proxy/upstream-unreadable', error instanceof Unrewritable ? error.message : undefined),
        );
        sink = through;
      } else if (only && res.req.httpVersionMajor >= 2) {
        // An answer that is a head alone has to stay one: gRPC reads its status there only where nothing follows.
        complete = true;
        res.statusCode = status;
        const kept = responseHeaders(raw, out);
        for (const [name, value] of Object.entries(grouped(kept))) res.setHeader(name, value);
        res.end();
        return;
      } else {
        res.writeHead(status, responseHeaders(raw, out));
        res.flushHeaders();
      }
      from.on('data', (chunk: Buffer) => {
        if (over || sink.write(chunk)) return;
        from.pause();
        sink.once('drain', () => from.resume());
      });
      from.once('end', () => {
        if (over) return;
        if (sink === res) finish();
        else sink.end();
      });
    };
  };
  begin(1);

  return () => {
    if (over) return;
    const { stream: downstream } = res as { stream?: { close: (code: number) => void } };
    if (downstream !== undefined && isGrpc(req.headers['content-type']) && !res.writableEnded) {
      // The caller's library says why, instead of guessing at a broken connection.
      const told = grpcStatus(403, 'The decision that let this call pass has turned.');
      if (res.headersSent) res.addTrailers(told);
      else for (const [name, value] of Object.entries(told)) res.setHeader(name, value);
      stream?.removeAllListeners('data');
      res.end();
      setTimeout(() => downstream.close(NGHTTP2_CANCEL), cutTimeoutMs).unref();
    } else res.destroy();
    end();
  };
};

/** Undefined for none; octets that were read to be judged; else the caller's own stream, held to its limit. */
const bodyOf = (
  req: IncomingMessage,
  { read, upstream, body }: Outgoing,
): IncomingMessage | Transform | Buffer | undefined => {
  if (body !== undefined) return body.length === 0 ? undefined : body;
  if (read.body.kind === 'none' || (read.body.kind === 'sized' && read.body.bytes === 0)) return undefined;
  if (read.body.kind === 'sized') return req;
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > upstream.bodyBytesMax) done(new BodyTooLarge());
      else done(null, chunk);
    },
  });
  req.once('error', (error) => counted.destroy(error));
  return req.pipe(counted);
};

/** What has been sent of a body, kept until it is too much, so that a stream which the API has not looked at can begin anew. */
const replayable = (body: Readable | Buffer) => {
  const source = Buffer.isBuffer(body) ? Readable.from([body]) : body;
  let kept: Buffer[] | undefined = [];
  let bytes = 0;
  let ended = false;
  let begun = false;
  let to: ClientHttp2Stream | undefined;
  const write = (chunk: Buffer): void => {
    if (to === undefined || to.closed || to.destroyed || to.write(chunk)) return;
    source.pause();
    to.once('drain', () => source.resume());
  };
  return {
    /** False once it could not be sent again. */
    kept: (): boolean => kept !== undefined,
    into: (stream: ClientHttp2Stream, failed: (error: Error) => void): void => {
      to = stream;
      stream.once('close', () => source.resume());
      for (const chunk of kept ?? []) write(chunk);
      if (ended) stream.end();
      if (begun) return;
      begun = true;
      source.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > keptBytesMax) kept = undefined;
        kept?.push(chunk);
        write(chunk);
      });
      source.once('end', () => {
        ended = true;
        to?.end();
      });
      source.once('error', failed);
    },
  };
};

const toHttp2 = ({ read, path, headers, upstream }: Outgoing): OutgoingHttpHeaders => {
  const fields = grouped(headers);
  delete fields['host'];
  return {
    ...fields,
    ':method': read.method,
    ':path': path,
    ':scheme': upstream.origin.slice(0, upstream.origin.indexOf(':')),
    ':authority': upstream.host,
    // Ours to say: trailers are passed on. gRPC asks for it.
    te: 'trailers',
  };
};

/** Names in lower case, as HTTP/2 has them; values that came several times in a list. */
const grouped = (list: readonly string[]): Record<string, string | string[]> => {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of pairs(list)) {
    const key = name.toLowerCase();
    const before = fields[key];
    fields[key] = before === undefined ? value : [...[before].flat(), value];
  }
  return fields;
};

/** Of trailers no name is to come twice: gRPC joins them. */
const joined = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(grouped(list)).map(([name, value]) => [name, [value].flat().join(', ')]));

const pairs = (list: readonly string[]): [string, string][] => {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) found.push([list[at] ?? '', list[at + 1] ?? '']);
  return found;
};

const statusIn = (raw: readonly string[]): { readonly status: number; readonly rest: readonly string[] } => {
  const fields = pairs(raw);
  return {
    status: Number(fields.find(([name]) => name === ':status')?.[1] ?? 502),
    rest: fields.filter(([name]) => !name.startsWith(':')).flat(),
  };
};

/** RFC 9110 §6.5.1: nothing that frames, routes or authenticates, and nothing in the gate's name. */
const neverTrailing = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const trailersIn = (raw: readonly string[]): string[] =>
  pairs(raw)
    .filter(([name]) => !name.startsWith(':') && !name.startsWith('postern-') && !neverTrailing.has(name))
    .flat();

/** In HTTP/1.1 a caller has to say that it wants them. */
const takesTrailers = (req: IncomingMessage): boolean =>
  req.httpVersionMajor >= 2 || /(^|,)\s*trailers\s*(;|,|$)/i.test(String(req.headers['te'] ?? ''));
