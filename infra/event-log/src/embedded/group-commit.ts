/** Writes that arrive in one turn of the event loop share one transaction, and so one flush to disk. */
import type { DatabaseSync } from 'node:sqlite';
import type { Problem } from '@postern/schemas';

export type GroupCommit = {
  /** Runs `write` inside the next transaction; resolves with its result once that transaction is on disk. */
  readonly write: <Result>(write: () => Result) => Promise<Result>;
  /** Commits what is waiting, now. */
  readonly flush: () => void;
};

type Waiting = {
  readonly write: () => unknown;
  readonly done: (result: unknown) => void;
  readonly failed: (reason: Problem) => void;
};

/** `committed` is called behind every commit; `rolledBack` before the writers of a failed one are told. */
export const groupCommit = (
  database: DatabaseSync,
  on: {
    readonly committed: () => void;
    readonly rolledBack: () => void;
    readonly problem: (error: unknown) => Problem;
  },
): GroupCommit => {
  let waiting: Waiting[] = [];

  const flush = (): void => {
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    try {
      database.exec('BEGIN IMMEDIATE');
      const results = group.map(({ write }) => write());
      database.exec('COMMIT');
      on.committed();
      group.forEach(({ done }, index) => {
        done(results[index]);
      });
    } catch (error) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
      on.rolledBack();
      const problem = on.problem(error);
      for (const { failed } of group) failed(problem);
    }
  };

  return {
    flush,
    write: <Result>(write: () => Result) =>
      new Promise<Result>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ write, done: (result) => resolve(result as Result), failed: reject });
      }),
  };
};
