/** SQLite's failures as problems. https://www.sqlite.org/rescode.html */
import { Problem } from '@postern/schemas';

const full = 13;

export const toProblem = (error: unknown, file: string): Problem => {
  const { errcode, code, message } = error as { errcode?: number; code?: string; message?: string };
  // The low octet is the primary result code; the rest says more about it.
  if ((errcode !== undefined && (errcode & 0xff) === full) || code === 'ENOSPC' || code === 'EDQUOT')
    return new Problem('grants/disk-full', {
      detail: `${file} cannot grow; nothing was written`,
      fix: 'Free space on this disk, and send again what was not acknowledged.',
      cause: error,
    });
  return new Problem('grants/profiles-unreachable', { detail: `${file}: ${message ?? String(error)}`, cause: error });
};
