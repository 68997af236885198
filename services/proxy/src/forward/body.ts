/** A request's body on its way to the API: none, the octets that were judged, or the caller's own stream, held to its limit. */
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { BodyTooLarge } from './failures.ts';
import type { Outgoing } from './forwarding.ts';

export type Body = IncomingMessage | Transform | Buffer | null;

export const bodyOf = (req: IncomingMessage, { read, upstream, body }: Outgoing): Body => {
  if (body !== undefined) return body.length === 0 ? null : body;
  if (read.body.kind === 'none' || (read.body.kind === 'sized' && read.body.bytes === 0)) return null;
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
