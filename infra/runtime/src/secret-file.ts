/** Secrets on disk: readable by their owner alone; written once, and overwritten only where that is asked for. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '@postern/schemas';

/**
 * Writes a new file of mode 0600, whole and on disk or not at all; an existing one is an error (EEXIST), because it may be
 * somebody's only copy.
 */
const writeSecret = async (file: string, secret: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${secret}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
};

/** The secret in the file; a missing file is filled with what `make` makes. */
export const readOrMakeSecret = async (file: string, make: () => string): Promise<string> => {
  const found = await readSecret(file);
  if (found !== undefined) return found;
  const made = make();
  try {
    await writeSecret(file, made);
    return made;
  } catch (error) {
    // Another process was faster: then its secret is the one that counts.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return requireSecret(file);
    throw new Problem('runtime/bad-config', {
      detail: `${file} cannot be written: ${(error as Error).message}`,
      fix: 'Give this user the right to write there, or name another data folder.',
      cause: error,
    });
  }
};

/** A key that is kept in `file` before it counts; `issued` hears of it when it does. */
export const keptIn = (file: string, issued: (secret: string) => void = () => {}) => ({
  keep: (make: () => string): Promise<string> => readOrMakeSecret(file, make),
  discard: (): Promise<void> => rm(file, { force: true }),
  issued,
});

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

/** In one step: whoever reads it meanwhile finds the old secret or the new one. Rejects with `runtime/bad-config`. */
export const replaceSecret = async (file: string, secret: string): Promise<void> => {
  const part = `${file}.${process.pid}`;
  try {
    await writeSecret(part, secret);
    await rename(part, file);
  } catch (error) {
    throw new Problem('runtime/bad-config', {
      detail: `${file} cannot be written: ${(error as Error).message}`,
      fix: 'Give this user the right to write there.',
      cause: error,
    });
  }
};
