/** A streamed body on its way to an API: read no faster than it is taken, and exactly as long as its head says. */
import type { Socket } from 'node:net';
import { BodyBrokenOff, type Streamed } from './exchange.ts';

export type Sending = {
  readonly done: () => boolean;
  /** Nothing more is taken from its source. */
  readonly stop: () => void;
};

/** `failed`: the source broke off, or is not as long as it says; the request cannot be completed. */
export const sendBody = (body: Streamed, socket: Socket, failed: (error: Error) => void): Sending => {
  const { from, bytes } = body;
  let sent = 0;
  let over = false;
  const stop = (): void => {
    over = true;
    from.off('data', onData);
    from.off('end', onEnd);
    from.off('error', onError);
    from.off('close', onClose);
    socket.off('drain', onDrain);
  };
  const fail = (error: Error): void => {
    if (over) return;
    stop();
    failed(error);
  };
  const onData = (piece: Buffer): void => {
    if (piece.length === 0) return;
    sent += piece.length;
    if (bytes !== undefined && sent > bytes) {
      fail(new BodyBrokenOff('The body is longer than its Content-Length.'));
      return;
    }
    let more: boolean;
    if (bytes !== undefined) more = socket.write(piece);
    else {
      socket.cork();
      socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
      socket.write(piece);
      more = socket.write('\r\n', 'latin1');
      socket.uncork();
    }
    if (!more) from.pause();
  };
  const onDrain = (): void => void from.resume();
  const onEnd = (): void => {
    if (bytes === undefined) {
      const trailers = body.trailers();
      let text = '0\r\n';
      for (let at = 0; at + 1 < trailers.length; at += 2) text += `${trailers[at]}: ${trailers[at + 1]}\r\n`;
      socket.write(`${text}\r\n`, 'latin1');
    } else if (sent < bytes) {
      fail(new BodyBrokenOff('The body is shorter than its Content-Length.'));
      return;
    }
    stop();
  };
  const onError = (error: Error): void => fail(error);
  const onClose = (): void => fail(new BodyBrokenOff('The body broke off before its end.'));
  // What broke off while the connection was made says so no more.
  if (from.destroyed) {
    over = true;
    failed(from.errored ?? new BodyBrokenOff('The body broke off before its end.'));
    return { done: () => true, stop: () => {} };
  }
  from.on('data', onData);
  from.once('end', onEnd);
  from.once('error', onError);
  // It may break off when nobody sends it any more.
  from.on('error', () => {});
  from.once('close', onClose);
  socket.on('drain', onDrain);
  return { done: () => over, stop };
};
