/**
 * What others may have packed their messages with, beyond the gzip that kafkajs knows: zstd, which Node brings along. Our own topics
 * are kept uncompressed by the broker. Snappy and LZ4 are not read: such a feed reports trouble and waits.
 */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export const registerZstd = (): void => {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
};
