/** A body in chunks (RFC 9112 §7.1), as it comes: wherever the octets are cut, the same content and the same trailers. */

export type Chunks = {
  /**
   * Takes octets from `at`; answers with where the body ended in them, undefined while it has not, or with why it cannot be read.
   */
  readonly take: (octets: Buffer, at: number) => number | undefined | { readonly why: string };
  /** Name and value by turns; whole when the body has ended. */
  readonly trailers: () => readonly string[];
};

/** A line that says a chunk's size, with extensions that nobody reads. */
const sizeLineMax = 1_024;
const trailersMax = 16_384;
/** Fewer than 2^52 octets. */
const sizeText = /^([0-9A-Fa-f]{1,13})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/** `over`: nobody wants the rest; asked after each piece of content. */
export const readChunks = (data: (content: Buffer) => void, over: () => boolean): Chunks => {
  /** `end`: the CR LF behind a chunk's content. */
  let phase: 'size' | 'content' | 'end' | 'trailers' = 'size';
  let left = 0;
  /** What has come of a line that has not ended. */
  let line = '';
  let trailing = 0;
  const trailers: string[] = [];
  return {
    trailers: () => trailers,
    take: (octets, from) => {
      let at = from;
      while (at < octets.length) {
        if (phase === 'content') {
          const take = Math.min(left, octets.length - at);
          left -= take;
          at += take;
          if (left === 0) phase = 'end';
          data(octets.subarray(at - take, at));
          if (over()) return undefined;
          continue;
        }
        const most = phase === 'size' ? sizeLineMax : phase === 'end' ? 2 : trailersMax - trailing;
        const lf = octets.indexOf(10, at);
        const to = lf === -1 ? octets.length : lf + 1;
        if (line.length + to - at > most)
          return { why: phase === 'end' ? 'a chunk is longer than it says' : 'a line between its chunks is too long' };
        line += octets.toString('latin1', at, to);
        at = to;
        if (lf === -1) break;
        if (!line.endsWith('\r\n')) return { why: 'a line between its chunks does not end in CR LF' };
        const text = line.slice(0, -2);
        line = '';
        if (phase === 'end') {
          if (text !== '') return { why: 'a chunk is longer than it says' };
          phase = 'size';
        } else if (phase === 'size') {
          const [, size] = sizeText.exec(text) ?? [];
          if (size === undefined) return { why: "a chunk's size is no number" };
          left = Number.parseInt(size, 16);
          phase = left === 0 ? 'trailers' : 'content';
        } else {
          if (text === '') return at;
          trailing += text.length + 2;
          const [, name, value] = field.exec(text) ?? [];
          if (name === undefined || value === undefined) return { why: 'a trailer is no header' };
          trailers.push(name, value);
        }
      }
      return undefined;
    },
  };
};
