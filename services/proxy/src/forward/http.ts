/** Requests and their answers, streamed: neither side is read faster than the other side takes it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { bodyOf } from './body.ts';
import { Ended, failureOf, Late, toProblem } from './failures.ts';
import { type Cut, type Outgoing, responseHeaders, textOf, type Watch } from './forwarding.ts';
import { repeatable } from './retries.ts';
import { type RewriteMessage, rewriting, sendRewritten, Unrewritable } from './rewrite.ts';
import { answered, begun, ended, failed, type Upstream } from './target.ts';
import { trailersOf } from './trailers.ts';

/** Answers up to this many bytes leave with their head in one write to the socket, where they come in one piece. */
const oneWriteBytesMax = 65_536;

/** Sends the request on and its answer back. */
export const forwardHttp = (req: IncomingMessage, res: ServerResponse, out: Outgoing, watch: Watch): Cut => {
  let controller: Dispatcher.DispatchController | undefined;
  let over = false;
  /** The length of the answer's body, where it says it and nothing of it has been sent. */
  let whole: number | undefined;
  /** Where this attempt goes. */
  let target = out.upstream;
  let attempts = 0;
  const { pace } = out;
  const body = bodyOf(req, out);
  // What is counted does not end by itself when its source breaks off.
  if (body instanceof Transform)
    req.once('close', () => {
      if (!req.complete) body.destroy(new Ended('the caller went away'));
    });
  const end = (): void => {
    if (over) return;
    over = true;
    ended(target);
    watch.ended();
  };
  // The reason is made only where it is needed: an error with its stack costs more than the rest of an ordinary end.
  const abort = (reason: () => Error): void => {
    if (over || controller === undefined || controller.aborted) return;
    controller.abort(reason());
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
        repeatable(out.read.method, { sent: controller !== undefined, hasBody: body !== null });
      const next = again ? target.retrying.next(target) : undefined;
      if (next !== undefined) {
        attempts++;
        ended(target);
        controller = undefined;
        target = next;
        const headers = next === out.upstream ? out.headers : addressedTo(next, out.headers);
        const refused = dispatch(target, { method: out.read.method, path: out.path, headers, body }, handler);
        if (refused !== undefined) fail(refused);
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
    abort(() => new Ended('the caller went away'));
    end();
  });
  res.on('error', () => res.destroy());

  /** Where the answer goes: to the caller, or first to what changes it. */
  let sink: Writable = res;
  const rewrite = (
    started: Dispatcher.DispatchController,
    status: number,
    message: string,
    raw: readonly string[],
    change: RewriteMessage,
  ): void => {
    const changed = rewriting(status, raw, change);
    if (changed.outcome === 'refused') {
      fail(new Unrewritable(changed.why));
      started.abort(new Ended('the answer cannot be read'));
      return;
    }
    sink = sendRewritten(changed, res, {
      over: () => over,
      head: () => void res.writeHead(status, message, responseHeaders(changed.headers, out)),
      end: () => void res.end(),
      failed: (error) => {
        fail(error);
        if (!started.aborted) started.abort(new Ended('the answer cannot be read'));
      },
    });
  };

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      if (over) started.abort(new Ended('the exchange is over'));
    },
    onResponseStart: (started, status, headers, message) => {
      // Of interim answers only 100 has a meaning for every client, and that one the gate gives itself.
      if (status < 200 || over) return;
      pace.waitsFor = 'more';
      pace.moved = true;
      answered(target, status);
      if (out.rewrite !== undefined)
        return rewrite(started, status, message ?? '', rawHeaders(started, headers).map(textOf), out.rewrite);
      res.writeHead(status, message ?? '', responseHeaders(rawHeaders(started, headers), out));
      // Streams begin with silence, so their head has to leave now; an answer that says its length follows at once.
      const length = headers['content-length'];
      if (length === undefined) res.flushHeaders();
      else whole = Number(length);
    },
    onResponseData: (started, chunk) => {
      if (over) return;
      if (chunk.length === whole && whole <= oneWriteBytesMax) {
        // As latin1 text the body is joined to the head and leaves in one plain write; a vector of two costs twice as much.
        controller = undefined;
        res.end(chunk.toString('latin1'), 'latin1');
        return;
      }
      whole = undefined;
      pace.moved = true;
      if (sink.write(chunk)) return;
      started.pause();
      sink.once('drain', () => {
        pace.moved = true;
        started.resume();
      });
    },
    onResponseEnd: (ending) => {
      const takes = out.read.trailers || req.httpVersionMajor >= 2;
      const trailers = takes && out.rewrite === undefined ? trailersOf(ending.rawTrailers) : undefined;
      controller = undefined;
      if (over || sink.writableEnded) return;
      if (trailers !== undefined) res.addTrailers(trailers);
      sink.end();
    },
    onResponseError: (_controller, error) => fail(error),
  };
  target.retrying.earn();
  const { method } = out.read;
  const refused = dispatch(target, { method, path: out.path, headers: out.headers, body }, handler);
  if (refused !== undefined) fail(refused);
  return (why) => {
    if (over) return;
    const underWay = controller;
    if (why === undefined || res.headersSent) {
      if (why === 'slow-api') failed(target, 'timeout');
      res.destroy();
      abort(() => new Ended('the decision has turned, or a limit is over'));
      return;
    }
    fail(new Late(why));
    if (underWay !== undefined && !underWay.aborted) underWay.abort(new Ended('a limit is over'));
  };
};

/** What cannot even be dispatched says why. */
const dispatch = (
  target: Upstream,
  request: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): Error | undefined => {
  begun(target);
  try {
    target.pool.dispatch(request, handler);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
};

/** The same request for another target: its Host is the only thing in it that names one. */
const addressedTo = ({ host }: Upstream, headers: readonly string[]): string[] => {
  const copy = [...headers];
  for (let at = 0; at < copy.length; at += 2) if (copy[at] === 'Host') copy[at + 1] = host;
  return copy;
};

/** As they came, octet for octet: undici's own object joins and decodes. */
const rawHeaders = (controller: Dispatcher.DispatchController, parsed: object): readonly (string | Buffer)[] => {
  const raw: unknown = controller.rawHeaders;
  if (Array.isArray(raw)) return raw;
  return Object.entries(parsed).flatMap(([name, value]) =>
    Array.isArray(value) ? value.flatMap((each) => [name, String(each)]) : [name, String(value)],
  );
};
