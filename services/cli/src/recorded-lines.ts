/** Lines of a stream, whatever it is: gzipped or not, with lines as long as a hostile client could make them. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CommandFailure } from './failure.ts';

/** Of a longer line the rest is not kept; whoever reads it sees that it is longer than any line may be. */
const keptMax = 70_000;
const lineFeed = 0x0a;

export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array): void => {
    if (length < keptMax) parts.push(part.subarray(0, keptMax - length));
    length += part.length;
  };
  const whole = (): string => {
    const text = Buffer.concat(parts).toString('utf8');
    parts = [];
    length = 0;
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      keep(chunk.subarray(from, end));
      yield whole();
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (length > 0) yield whole();
}

/** Told by its first two bytes, whatever the file is called. Rejects where the compressed data ends too early or is none. */
export async function* unzipped(input: Readable, name: string): AsyncGenerator<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await chunks.next();
  const head: Uint8Array = first.done ? new Uint8Array() : first.value;
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return yield* all();
  const gunzip = createGunzip();
  const fed = pipeline(all, gunzip).catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    throw new CommandFailure(`${name} cannot be unzipped: ${error instanceof Error ? error.message : error}`, 1);
  } finally {
    gunzip.destroy();
    await fed;
  }
}
