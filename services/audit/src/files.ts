/** A log as files in a folder, laid out as it is served: for verifying offline what was exported. */
import { access, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Get } from '@postern/schemas/record';

/** Undefined where there is no such file; rejects where it cannot be read for another reason. */
export const filesIn =
  (folder: string): Get =>
  async (path) => {
    try {
      return new Uint8Array(await readFile(join(folder, path)));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  };

/** The lines of a file; undefined where there is no such file. It is open only while it is read. */
export const linesIn = async (folder: string, name: string): Promise<AsyncIterable<string> | undefined> => {
  const path = join(folder, name);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  return there ? linesOf(path) : undefined;
};

const linesOf = async function* (path: string): AsyncGenerator<string> {
  await using file = await open(path);
  // Looked at from the first event on: what a reader of lines says before somebody listens is lost.
  yield* file.readLines();
};
