/** A request's body on its way to an API that speaks HTTP/2: held to its limit, and kept while it may have to be sent again. */
import type { IncomingMessage } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import { Readable, Transform } from 'node:stream';
import type { Outgoing } from './forwarding.ts';

/** Of a request, for an API that refuses to look at it. */
const keptBytesMax = 65_536;

export class BodyTooLarge extends Error {}

/** Undefined for none; octets that were read to be judged; else the caller's own stream, held to its limit. */
export const bodyOf = (
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
