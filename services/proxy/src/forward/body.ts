/** A request's body on its way to the API: none, the octets that were judged, or the caller's own stream, held to its limit. */
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { headerName } from '../gate/headers.ts';
import { BodyTooLarge, Ended } from './failures.ts';
import type { Outgoing } from './forwarding.ts';
import type { Call } from './http1/exchange.ts';
import { trailingFields } from './trailers.ts';

export const bodyOf = (req: IncomingMessage, { read, upstream, body }: Outgoing): Call['body'] => {
  if (body !== undefined) return body.length === 0 ? null : body;
  if (read.body.kind === 'none' || (read.body.kind === 'sized' && read.body.bytes === 0)) return null;
  const trailers = () => requestTrailers(req.rawTrailers);
  if (read.body.kind === 'sized') return { from: req, bytes: read.body.bytes, trailers };
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > upstream.bodyBytesMax) done(new BodyTooLarge());
      else done(null, chunk);
    },
  });
  // Whoever sends it looks for itself.
  counted.on('error', () => {});
  req.once('error', (error) => counted.destroy(error));
  // What is counted does not end by itself when its source breaks off.
  req.once('close', () => {
    if (!req.complete) counted.destroy(new Ended('the caller went away'));
  });
  return { from: req.pipe(counted), bytes: undefined, trailers };
};

/** Servers there are that take a trailer for a header: whatever a client may not say to the API before its body it may not say behind it. */
const requestTrailers = (raw: readonly string[]): readonly string[] => {
  const fields = trailingFields(raw);
  const kept: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const { name, rule } = headerName(fields[at] ?? '');
    if (rule === 'pass' && name !== 'cookie') kept.push(fields[at] ?? '', fields[at + 1] ?? '');
  }
  return kept;
};

/** What is left of a body behind an answer that did not wait for it is read away up to here, so that the connection can go on; bytes. */
const readAwayMax = 65_536;

/** Nobody wants the rest: little of it is read away, much of it ends the connection. */
export const readAway = (req: IncomingMessage, body: Call['body']): void => {
  if (req.complete || req.destroyed) return;
  if (body !== null && !Buffer.isBuffer(body) && body.from instanceof Transform) req.unpipe(body.from);
  let bytes = 0;
  req.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > readAwayMax) req.destroy();
  });
  req.resume();
};
