/** Secrets on disk: readable by their owner alone, written once, never overwritten. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '@postern/schemas';

/** Writes a new file of mode 0600; an existing one is an error, because it may be somebody's only copy. */
export const writeSecret = async (file: string, secret: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
};

/** The secret in the file; a missing file is filled with what `make` makes. */
export const readOrMakeSecret = async (file: string, make: () => string): Promise<string> => {
  const found = await readSecret(file);
  if (found !== undefined) return found;
  const made = make();
  await writeSecret(file, made);
  return made;
};

export const readSecret = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Problem('runtime/bad-config', {
      detail: `${file} cannot be read: ${(error as Error).message}`,
      fix: 'Give this user the right to read it.',
      cause: error,
    });
  }
};

/** As {@link readSecret}, for a file that the configuration names and that therefore has to be there. */
export const requireSecret = async (file: string): Promise<string> => {
  const found = await readSecret(file);
  if (found === undefined)
    throw new Problem('runtime/bad-config', {
      detail: `${file} does not exist`,
      fix: 'Write the secret there, readable by this user alone.',
    });
  return found;
};
