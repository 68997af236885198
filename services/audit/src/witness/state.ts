/** What a witness has seen of each log: the newest checkpoint that it signed, in a file of its own, on disk before it is told. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

export type WitnessState = {
  /** The newest note, if one was signed for this origin. */
  readonly latest: (origin: string) => Promise<string | undefined>;
  readonly keep: (origin: string, note: string) => Promise<void>;
};

/** One process alone may use a folder: checking and keeping are made one by whoever calls them in turn. */
export const witnessState = (folder: string): WitnessState => {
  const fileOf = (origin: string): string =>
    join(folder, `${createHash('sha256').update(origin).digest('hex')}.checkpoint`);
  return {
    latest: async (origin) => {
      try {
        return await readFile(fileOf(origin), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    keep: async (origin, note) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const part = `${fileOf(origin)}.part`;
      {
        await using file = await open(part, 'w', 0o600);
        await file.writeFile(note);
        await file.sync();
      }
      await rename(part, fileOf(origin));
      // The new name is on disk only when its folder is.
      await using directory = await open(folder, 'r');
      await directory.sync();
    },
  };
};
