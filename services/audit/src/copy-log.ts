/** A log with all that is needed to verify it, written into a folder as it is served: C2SP tlog-tiles, keys, checkpoints and rows. */
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Problem } from '@postern/schemas';
import { type Get, parseKeptCheckpoint, prunedBefore, prunedFile } from '@postern/schemas/record';
import { parseCheckpoint, tilePath, tilesOf, tileWidth } from '@postern/schemas/tlog';

export const keptFile = 'checkpoints.ndjson';
export const rowsFile = 'rows.ndjson';

export type CopyOptions = {
  readonly get: Get;
  /** Lines of JSON: the checkpoints that the log has kept, and the rows it is searched by, oldest first. */
  readonly kept: AsyncIterable<string>;
  readonly rows: AsyncIterable<string>;
  readonly onProgress?: (files: number, all: number) => void;
};

/**
 * Resolves with the size of the log that was copied. The checkpoint is written last: a copy that was interrupted has none, and
 * is not taken for a whole one. Rejects with `audit/no-such-record` where the log lacks a file, and where `get` does.
 */
export const copyLog = async (
  folder: string,
  { get, kept, rows, onProgress = () => {} }: CopyOptions,
): Promise<number> => {
  const need = async (path: string): Promise<Uint8Array> => {
    const bytes = await get(path);
    if (bytes === undefined) throw new Problem('audit/no-such-record', { detail: `the log has no ${path}` });
    return bytes;
  };
  const put = async (path: string, bytes: Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  };
  const note = await need('checkpoint');
  const checkpoint = parseCheckpoint(new TextDecoder().decode(note));
  if (checkpoint === undefined) throw new Problem('audit/no-such-record', { detail: 'the log has no checkpoint' });
  await put('vkey', await need('vkey'));
  const told = await get(prunedFile);
  const before = prunedBefore(told);
  if (told !== undefined && before > 0) await put(prunedFile, told);
  const tiles = [...tilesOf(checkpoint.size)].filter(
    ({ level, index, width }) => level !== 'entries' || index * tileWidth + width > before,
  );
  for (const [at, tile] of tiles.entries()) {
    await put(tilePath(tile), await need(tilePath(tile)));
    onProgress(at + 1, tiles.length);
  }
  await putLines(join(folder, keptFile), signedAlone(kept));
  await putLines(join(folder, rowsFile), rows);
  await put('checkpoint.part', note);
  await rename(join(folder, 'checkpoint.part'), join(folder, 'checkpoint'));
  return checkpoint.size;
};

const putLines = async (file: string, lines: AsyncIterable<string>): Promise<void> => {
  await using out = await open(file, 'w');
  for await (const line of lines) await out.write(`${line}\n`);
};

/** Without the members that nothing signs. */
const signedAlone = async function* (lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield JSON.stringify(parseKeptCheckpoint(line));
};
