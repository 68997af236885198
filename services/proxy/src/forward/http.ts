/** Requests and their answers, streamed: neither side is read faster than the other side takes it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { bodyOf, readAway } from './body.ts';
import { failureOf, Late, toProblem } from './failures.ts';
import { type Cut, type Outgoing, responseHeaders, type Watch } from './forwarding.ts';
import type { Call, Listener, UnderWay } from './http1/exchange.ts';
import { repeatable } from './retries.ts';
import { type RewriteMessage, rewriting, sendRewritten, Unrewritable } from './rewrite.ts';
import { answered, begun, ended, failed, type Upstream } from './target.ts';
import { trailersOf } from './trailers.ts';

/** Answers up to this many bytes leave with their head in one write to the socket, where they come in one piece. */
const oneWriteBytesMax = 65_536;

/** Sends the request on and its answer back. */
export const forwardHttp = (req: IncomingMessage, res: ServerResponse, out: Outgoing, watch: Watch): Cut => {
  let underWay: UnderWay | undefined;
  let over = false;
  /** A byte of the request may have reached the API. */
  let sent = false;
  /** The length of the answer's body, where it says it and nothing of it has been sent. */
  let whole: number | undefined;
  /** Where this attempt goes. */
  let target = out.upstream;
  let attempts = 0;
  const { pace } = out;
  const body = bodyOf(req, out);
  const end = (): void => {
    if (over) return;
    over = true;
    ended(target);
    watch.ended();
  };
  const fail = (error: Error): void => {
    if (over) return;
    const failure = failureOf(error, pace.waitsFor === 'more');
    if (failure !== undefined && !res.destroyed) {
      failed(target, failure);
      const again =
        pace.waitsFor !== 'more' &&
        !(error instanceof Late) &&
        attempts < target.retrying.attemptsMax &&
        repeatable(out.read.method, { sent, hasBody: body !== null });
      const next = again ? target.retrying.next(target) : undefined;
      if (next !== undefined) {
        attempts++;
        ended(target);
        sent = false;
        target = next;
        dispatch(next === out.upstream ? out.headers : addressedTo(next, out.headers));
        return;
      }
    }
    if (res.headersSent || res.destroyed) {
      // Half an answer must not look like a whole one.
      res.destroy();
      end();
      return;
    }
    const { code, detail } = toProblem(error);
    watch.failed(code, detail);
    end();
  };
  // The caller went away, or the answer is complete: `close` comes in both cases.
  res.on('close', () => {
    if (!over) underWay?.abort();
    end();
  });
  res.on('error', () => res.destroy());

  /** Where the answer goes: to the caller, or first to what changes it. */
  let sink: Writable = res;
  const rewrite = (status: number, message: string, raw: readonly string[], change: RewriteMessage): void => {
    const changed = rewriting(status, raw, change);
    if (changed.outcome === 'refused') {
      fail(new Unrewritable(changed.why));
      underWay?.abort();
      return;
    }
    sink = sendRewritten(changed, res, {
      over: () => over,
      head: () => void res.writeHead(status, message, responseHeaders(changed.headers, out)),
      end: () => void res.end(),
      failed: (error) => {
        fail(error);
        underWay?.abort();
      },
    });
  };

  const listener: Listener = {
    sent: () => {
      sent = true;
    },
    head: (status, message, raw, length) => {
      if (over) return;
      pace.waitsFor = 'more';
      pace.moved = true;
      answered(target, status);
      if (out.rewrite !== undefined) return rewrite(status, message, raw, out.rewrite);
      res.writeHead(status, message, responseHeaders(raw, out));
      // Streams begin with silence, so their head has to leave now; an answer that says its length follows at once.
      if (length === undefined) res.flushHeaders();
      else whole = length;
    },
    data: (content) => {
      if (over) return;
      if (content.length === whole && whole <= oneWriteBytesMax) {
        // As latin1 text the body is joined to the head and leaves in one plain write; a vector of two costs twice as much.
        res.end(content.toString('latin1'), 'latin1');
        return;
      }
      whole = undefined;
      pace.moved = true;
      if (sink.write(Buffer.from(content))) return;
      underWay?.pause();
      sink.once('drain', () => {
        pace.moved = true;
        underWay?.resume();
      });
    },
    ended: (raw) => {
      underWay = undefined;
      if (!req.complete) readAway(req, body);
      if (over || sink.writableEnded) return;
      const takes = out.read.trailers || req.httpVersionMajor >= 2;
      const trailers = takes && out.rewrite === undefined ? trailersOf(raw) : undefined;
      if (trailers !== undefined) res.addTrailers(trailers);
      sink.end();
    },
    failed: (error) => fail(error),
  };
  const dispatch = (headers: readonly string[]): void => {
    const call: Call = { method: out.read.method, path: out.path, headers, body };
    begun(target);
    try {
      underWay = target.pool.dispatch(call, listener);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
  target.retrying.earn();
  dispatch(out.headers);
  return (why) => {
    if (over) return;
    const cut = underWay;
    if (why === undefined || res.headersSent) {
      if (why === 'slow-api') failed(target, 'timeout');
      res.destroy();
      cut?.abort();
      return;
    }
    fail(new Late(why));
    cut?.abort();
  };
};

/** The same request for another target: its Host is the only thing in it that names one. */
const addressedTo = ({ host }: Upstream, headers: readonly string[]): string[] => {
  const copy = [...headers];
  for (let at = 0; at < copy.length; at += 2) if (copy[at] === 'Host') copy[at + 1] = host;
  return copy;
};
