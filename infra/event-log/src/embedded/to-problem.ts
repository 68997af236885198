/** SQLite's and the file system's failures as problems. https://www.sqlite.org/rescode.html */
import { isProblem, Problem, type ProblemCode } from '@postern/schemas';

const busy = 5;
const locked = 6;
const corrupt = 11;
const full = 13;
const notADatabase = 26;

/** `otherwise`: what any other failure means where it happened. `where`: the folder, as the person who has to act knows it. */
export const toProblem = (error: unknown, where: string, otherwise: ProblemCode): Problem => {
  if (isProblem(error)) return error;
  const { errcode, code, message } = error as { errcode?: number; code?: string; message?: string };
  // The low octet is the primary result code; the rest says more about it.
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === busy || primary === locked)
    return new Problem('event-log/in-use', {
      detail: `another process has the event log in ${where} open`,
      fix: `Stop that process (lsof ${where}/event-log.sqlite names it), or choose another folder.`,
      cause: error,
    });
  if (primary === full || code === 'ENOSPC' || code === 'EDQUOT')
    return new Problem('event-log/disk-full', {
      detail: `the event log in ${where} cannot grow; nothing was written`,
      fix: 'Free space on this disk; the log goes on by itself.',
      cause: error,
    });
  if (primary === corrupt || primary === notADatabase)
    return new Problem('event-log/corrupt', {
      detail: `${where}/event-log.sqlite: ${message}`,
      fix: 'Keep the file for analysis and restore the folder from a backup.',
      cause: error,
    });
  return new Problem(otherwise, { detail: `the event log in ${where}: ${message}`, cause: error });
};
