/** A request's body, read whole where it has to be judged: bounded in size and in time. */
import type { IncomingMessage } from 'node:http';
import type { ReadRequest } from './read.ts';

export type WholeBody =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'too-large' }
  | { readonly outcome: 'too-slow' }
  /** The caller went away. */
  | { readonly outcome: 'broken-off' };

/** In ms. */
export const bodyTimeoutMs = 30_000;

export const readWhole = (
  req: IncomingMessage,
  { body }: ReadRequest,
  bytesMax: number,
  timeoutMs = bodyTimeoutMs,
): Promise<WholeBody> => {
  if (body.kind === 'sized' && body.bytes > bytesMax) return Promise.resolve({ outcome: 'too-large' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (whole: WholeBody): void => {
      clearTimeout(timer);
      req.off('data', take).off('end', end).off('close', gone).off('error', gone);
      resolve(whole);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= bytesMax) return;
      req.pause();
      settle({ outcome: 'too-large' });
    };
    const end = (): void => settle({ outcome: 'read', bytes: Buffer.concat(chunks) });
    const gone = (): void => settle({ outcome: 'broken-off' });
    const timer = setTimeout(() => settle({ outcome: 'too-slow' }), timeoutMs);
    req.on('data', take).once('end', end).once('close', gone).once('error', gone);
  });
};
