/** A log as files in a folder, laid out as it is served: for verifying offline what was exported. */
import { open, readFile } from 'node:fs/promises';
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

/** The lines of a file; undefined where there is no such file. */
export const linesIn = async (folder: string, name: string): Promise<AsyncIterable<string> | undefined> => {
  const file = await open(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return file?.readLines();
};
