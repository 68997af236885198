/** A request's body on its way to an API that speaks HTTP/2: kept while it may have to be sent again. */
import type { ClientHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';

/** Of a request, for an API that refuses to look at it. */
const keptBytesMax = 65_536;

/** What has been sent of a body, kept until it is too much, so that a stream which the API has not looked at can begin anew. */
export const replayable = (body: Readable | Buffer) => {
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
