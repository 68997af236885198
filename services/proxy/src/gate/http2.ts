/**
 * Requests that come by HTTP/2 enter by the same door as others: their pseudo-header fields are read as the head that they would have
 * in HTTP/1.1 (RFC 9113 §8.3.1), and the response is made to do what node's own does.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Ladder } from './ladder.ts';

/** A request of an HTTP/2 server, up the ladder. */
export const enterByHttp2 = (ladder: Ladder, req: Http2ServerRequest, res: Http2ServerResponse): void => {
  // node tells the request of the stream's errors; its end is told besides.
  req.on('error', () => {});
  Object.defineProperty(req, 'rawHeaders', { value: headOf(req) });
  const { stream } = res;
  const writeHead = res.writeHead.bind(res);
  Object.defineProperties(res, {
    destroyed: { get: () => stream.destroyed || stream.closed },
    // Not merely closed: to the caller half an answer has to be an error.
    destroy: {
      value: () => {
        if (!stream.destroyed && !stream.closed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        return res;
      },
    },
    // HTTP/2 has no reason phrase.
    writeHead: {
      value: (status: number, ...rest: unknown[]) =>
        writeHead(status, rest.filter((each) => typeof each !== 'string')[0] as string[]),
    },
  });
  ladder.enter({
    kind: 'request',
    req: req as unknown as IncomingMessage,
    res: res as unknown as ServerResponse,
    expectsContinue: false,
  });
};

/** Name and value by turns. A Host beside :authority stays beside it, so that two of them are refused like two in HTTP/1.1. */
const headOf = (req: Http2ServerRequest): string[] => {
  const raw = req.rawHeaders;
  const head: string[] = [];
  const cookies: string[] = [];
  let sized = false;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [raw[at] ?? '', raw[at + 1] ?? ''];
    if (name === ':authority') head.push('host', value);
    else if (name === 'host' && value === req.authority) continue;
    // RFC 9113 §8.2.3: parted for compression; one field to whoever reads it.
    else if (name === 'cookie') cookies.push(value);
    else if (!name.startsWith(':')) head.push(name, value);
    sized ||= name === 'content-length';
  }
  if (cookies.length > 0) head.push('cookie', cookies.join('; '));
  // What HTTP/1.1 needs this header for is said by frames here.
  if (!sized && !req.stream.endAfterHeaders) head.push('transfer-encoding', 'chunked');
  return head;
};
