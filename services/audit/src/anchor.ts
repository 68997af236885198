/**
 * The newest checkpoint of each log, kept in a file outside the database. A database that was set back to an earlier backup
 * believes itself; the anchor does not, and the writer signs nothing until the record holds again what was signed before.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogName } from '@postern/audit-store';
import { Problem } from '@postern/schemas';

export type Anchors = {
  /** Rejects with `runtime/bad-config` where it cannot be read. */
  readonly read: (log: LogName) => Promise<string | undefined>;
  /** Resolves once it is on the disk. */
  readonly write: (log: LogName, note: string) => Promise<void>;
};

export const fileAnchors = (folder: string): Anchors => {
  const fileOf = (log: LogName): string => join(folder, `audit-${log}.checkpoint`);
  return {
    read: async (log) => {
      try {
        return await readFile(fileOf(log), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw unusable(fileOf(log), error);
      }
    },
    write: async (log, note) => {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        // Its own name for each process: two that share a folder never write into each other's file.
        const part = `${fileOf(log)}.${process.pid}`;
        {
          await using file = await open(part, 'w', 0o600);
          await file.writeFile(note);
          await file.sync();
        }
        await rename(part, fileOf(log));
      } catch (error) {
        throw unusable(fileOf(log), error);
      }
    },
  };
};

const unusable = (file: string, cause: unknown): Problem =>
  new Problem('runtime/bad-config', {
    detail: `${file}, which keeps the newest checkpoint, cannot be used: ${(cause as Error).message}`,
    fix: 'Give this user the right to read and write it, or name another folder: audit.anchor.',
    cause,
  });
