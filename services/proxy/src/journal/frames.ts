/**
 * How the journal lies in a file: frames of `uint32be length | uint32be CRC-32 of what follows | kind | text`. Whatever is behind the
 * last whole frame was being written when the machine stopped, and is no part of it.
 *
 *   I  the instance whose decisions these are, and the number of its last batch before; first in each file
 *   L  one decision, as its line in a batch
 *   B  the lines since the last B are the batch of this number
 *   A  the log has the batches up to this number
 */
import { crc32 } from 'node:zlib';

export type FrameKind = 'I' | 'L' | 'B' | 'A';
export type Frame = { readonly kind: FrameKind; readonly text: string };

const headBytes = 8;
const kinds = new Map<number, FrameKind>((['I', 'L', 'B', 'A'] as const).map((kind) => [kind.charCodeAt(0), kind]));

/** Writes frames of one kind, one behind the other, into memory of its own; what it gives is valid until the next call. */
export const frameWriter = (): ((kind: FrameKind, ...texts: readonly string[]) => Uint8Array) => {
  let space = Buffer.allocUnsafeSlow(16_384);
  return (kind, ...texts) => {
    let most = 0;
    for (const text of texts) most += headBytes + 1 + text.length * 3;
    if (most > space.length) space = Buffer.allocUnsafeSlow(most * 2);
    let at = 0;
    for (const text of texts) {
      const content = at + headBytes;
      const length = 1 + space.write(text, content + 1);
      space[content] = kind.charCodeAt(0);
      space.writeUInt32BE(length, at);
      space.writeUInt32BE(crc32(space.subarray(content, content + length)), at + 4);
      at = content + length;
    }
    return space.subarray(0, at);
  };
};

/** The whole frames of `bytes`, in order, up to the first that is none. */
export function* framesIn(bytes: Buffer): Generator<Frame> {
  for (let at = 0; at + headBytes < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const content = bytes.subarray(at + headBytes, at + headBytes + length);
    const kind = kinds.get(content[0] ?? 0);
    if (content.length < length || kind === undefined || crc32(content) !== bytes.readUInt32BE(at + 4)) return;
    yield { kind, text: content.toString('utf8', 1) };
    at += headBytes + length;
  }
}
