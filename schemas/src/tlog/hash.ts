/**
 * RFC 6962 §2.1: how entries and subtrees are hashed. SHA-256 comes in as an argument: node:crypto's where a log is written or
 * verified by the million, WebCrypto's ({@link webSha256}) in a browser.
 */

/** Synchronous SHA-256, for writing a tree and for hashing whole logs. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;
/** Either kind; enough to verify a proof. */
export type AnySha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export const hashBytes = 32;

export const webSha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

/** SHA-256 over no bytes: the root of the empty tree. */
export const emptyRoot = (): Uint8Array =>
  Uint8Array.from(
    [0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924, 0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855].flatMap((word) => [
      word >>> 24,
      (word >>> 16) & 255,
      (word >>> 8) & 255,
      word & 255,
    ]),
  );

/** What is hashed for an entry: `0x00 || entry`. */
const leafInput = (entry: Uint8Array): Uint8Array => {
  const input = new Uint8Array(1 + entry.byteLength);
  input.set(entry, 1);
  return input;
};

/** What is hashed for an inner node: `0x01 || left || right`. */
const nodeInput = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const input = new Uint8Array(1 + left.byteLength + right.byteLength);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + left.byteLength);
  return input;
};

export const leafHash = <Result extends Uint8Array | Promise<Uint8Array>>(
  sha256: (bytes: Uint8Array) => Result,
  entry: Uint8Array,
): Result => sha256(leafInput(entry));

export const nodeHash = <Result extends Uint8Array | Promise<Uint8Array>>(
  sha256: (bytes: Uint8Array) => Result,
  left: Uint8Array,
  right: Uint8Array,
): Result => sha256(nodeInput(left, right));

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
