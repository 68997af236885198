/**
 * Requests to an API that speaks HTTP/2, and their answers with their trailers: the way of gRPC. Neither side is read faster than the
 * other takes it, and either side's end is the other's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { Writable } from 'node:stream';
import type { ProblemCode } from '@postern/schemas';
import { bodyOf } from './body.ts';
import { BodyTooLarge } from './failures.ts';
import { type Cut, type Outgoing, responseHeaders, type Watch } from './forwarding.ts';
import { grpcStatus, isGrpc } from './grpc.ts';
import { replayable } from './http2-body.ts';
import { grouped, joined, statusIn, trailersIn } from './http2-fields.ts';
import type { Http2Sessions } from './http2-sessions.ts';
import { rewriting, sendRewritten, Unrewritable } from './rewrite.ts';
import { begun, ended, type Failure, failed, answered as targetAnswered } from './target.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants;
/** RFC 9113 §8.7: the API has not looked at it. */
const attemptsMax = 2;
/** How long a caller that reads nothing may keep an answer open that was cut, in ms. */
const cutTimeoutMs = 200;

/** What a failure says of the target. */
const failures: Partial<Record<ProblemCode, Failure>> = {
  'proxy/upstream-unreachable': 'broken-off',
  'proxy/upstream-timeout': 'timeout',
};

export const forwardHttp2 = (
  req: IncomingMessage,
  res: ServerResponse,
  out: Outgoing,
  watch: Watch,
  sessions: Http2Sessions,
): Cut => {
  const { upstream, pace } = out;
  begun(upstream);
  let stream: ClientHttp2Stream | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    stream?.close(NGHTTP2_CANCEL);
    ended(upstream);
    watch.ended();
  };
  const fail = (code: ProblemCode, detail?: string): void => {
    if (over) return;
    const failure = failures[code];
    if (failure !== undefined && !res.destroyed) failed(upstream, failure);
    // Half an answer must not look like a whole one.
    if (res.headersSent || res.destroyed) res.destroy();
    else watch.failed(code, detail);
    end();
  };
  res.once('close', end);
  res.on('error', () => res.destroy());

  const body = bodyOf(req, out);
  const headers = toHttp2(out);
  const sent = body === null ? undefined : replayable(Buffer.isBuffer(body) ? body : body.from);
  const begin = (attempt: number): void => {
    let ours: ClientHttp2Stream;
    try {
      ours = sessions.request(headers, { endStream: body === null });
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
      if (!answered && !over) timer = setTimeout(() => fail('proxy/upstream-timeout'), upstream.timeouts.firstByteMs);
    };
    ours.once('response', (_headers, flags, raw: string[]) => {
      answered = true;
      clearTimeout(timer);
      if (over) return;
      const { status, rest } = statusIn(raw);
      pace.waitsFor = 'more';
      pace.moved = true;
      targetAnswered(upstream, status);
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
        sink = sendRewritten(changed, res, {
          over: () => over,
          head: () => void res.writeHead(status, responseHeaders(changed.headers, out)),
          end: finish,
          failed: (error) =>
            fail('proxy/upstream-unreadable', error instanceof Unrewritable ? error.message : undefined),
        });
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
        pace.moved = true;
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

  return (why) => {
    if (over) return;
    if (why !== undefined) {
      fail(why === 'slow-caller' ? 'proxy/request-timeout' : 'proxy/upstream-timeout');
      return;
    }
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

/** In HTTP/1.1 a caller has to say that it wants them. */
const takesTrailers = (req: IncomingMessage): boolean =>
  req.httpVersionMajor >= 2 || /(^|,)\s*trailers\s*(;|,|$)/i.test(String(req.headers['te'] ?? ''));
