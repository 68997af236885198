/** Writes that arrive in one turn of the event loop share one transaction, and so one flush to disk. */
import type { DatabaseSync } from 'node:sqlite';
import type { Problem } from '@postern/schemas';
import type { Bell } from './bell.ts';

export type GroupCommit = {
  /** Runs `write` inside the next transaction; resolves with its result once that is on disk, and `news` has been rung. */
  readonly write: <Result>(news: Bell, write: () => Result) => Promise<Result>;
  /** Commits what is waiting, now. */
  readonly flush: () => void;
};

type Waiting = {
  readonly news: Bell;
  readonly write: () => unknown;
  readonly done: (result: unknown) => void;
  readonly failed: (reason: Problem) => void;
};

/** `rolledBack` is called before the writers of a failed transaction are told. */
export const groupCommit = (
  database: DatabaseSync,
  on: {
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
      for (const news of new Set(group.map((each) => each.news))) news.ring();
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
    write: <Result>(news: Bell, write: () => Result) =>
      new Promise<Result>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ news, write, done: (result) => resolve(result as Result), failed: reject });
      }),
  };
};
