/** What an API says behind its answer's body (RFC 9110 §6.5), as far as it may stand there. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** Of the connection, of the body's end, or what has to be known before the body (RFC 9110 §6.5.1). */
const never = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'keep-alive',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** Before the answer is ended. HTTP/1.1 takes them only where its length was not said. */
export const passTrailers = (res: ServerResponse, trailers: IncomingHttpHeaders | undefined): void => {
  if (trailers === undefined) return;
  const passed = Object.entries(trailers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && !never.has(entry[0]) && !entry[0].startsWith('postern-'),
  );
  if (passed.length > 0) res.addTrailers(Object.fromEntries(passed.map(([name, value]) => [name, String(value)])));
};
