import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { linesOf, unzipped } from './recorded-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-lines-'));
after(() => rmSync(folder, { recursive: true }));
const read = async (bytes: Uint8Array): Promise<string[]> => {
  const file = join(folder, 'lines');
  writeFileSync(file, bytes);
  return Array.fromAsync(linesOf(unzipped(createReadStream(file, { highWaterMark: 7 }), file)));
};

test('a file reads the same zipped or not, in whatever pieces it comes', async () => {
  for (const text of ['', 'a', 'a\n', 'aé\r\n\nb\n', `${'x'.repeat(100)}\nend`]) {
    const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
    assert.deepEqual(await read(Buffer.from(text)), lines, JSON.stringify(text));
    assert.deepEqual(await read(gzipSync(text)), lines, `zipped ${JSON.stringify(text)}`);
  }
});

test('of a line without an end no more than a bounded part is kept', async () => {
  const chunk = Buffer.alloc(1_000_000, 'a');
  const lines = await Array.fromAsync(linesOf(Readable.from([chunk, chunk, chunk, Buffer.from('\nb\n')])));
  assert.deepEqual([lines.length, lines[0]?.length, lines[1]], [2, 70_000, 'b']);
});

test('zipped data that ends too early is named, and not taken for the whole', async () => {
  const whole = gzipSync('a\n'.repeat(10_000));
  await assert.rejects(read(whole.subarray(0, whole.length - 20)), /cannot be unzipped/);
});
