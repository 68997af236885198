/** A log as files in a folder, laid out as it is served: for verifying offline what was exported. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Get } from './verify.ts';

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
