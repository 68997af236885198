/** One request to an API over HTTP/1.1 and its answer, as whoever sends it sees them. */
import type { Readable } from 'node:stream';

export type Call = {
  readonly method: string;
  readonly path: string;
  /** Name and value by turns, without what frames a streamed body. */
  readonly headers: readonly string[];
  readonly body: null | Buffer | Streamed;
};
export type Streamed = {
  readonly from: Readable;
  /** What its Content-Length says; undefined where it goes in chunks. */
  readonly bytes: number | undefined;
  /** Name and value by turns, asked for when the body has ended; they go behind one that is in chunks. */
  readonly trailers: () => readonly string[];
};

export type Listener = {
  /** The request goes to the API from now on. */
  readonly sent: () => void;
  /** The final answer has begun. `length` is what its Content-Length says. */
  readonly head: (status: number, message: string, raw: readonly string[], length: number | undefined) => void;
  /** Octets that are the listener's until it returns: what is kept is to be copied. */
  readonly data: (content: Buffer) => void;
  /** The answer is complete. Name and value by turns. */
  readonly ended: (trailers: readonly string[]) => void;
  /** It broke off; nothing comes any more. */
  readonly failed: (error: Error) => void;
};

/** An exchange under way. */
export type UnderWay = {
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it and its connection; its listener hears nothing any more. */
  readonly abort: () => void;
};

/** No connection could be made in the time that there was. */
export class ConnectTimedOut extends Error {
  readonly code = 'ETIMEDOUT';
}
/** The API's octets are no answer that could be passed on. */
export class MalformedAnswer extends Error {}
/** The connection ended before the answer did. */
export class BrokenOff extends Error {
  readonly code = 'ECONNRESET';
}
/** The body that was to be sent is not as long as was said, or ended before its end. */
export class BodyBrokenOff extends Error {}
