/** An embedded log in a folder of its own, for the conformance suite, and what such a log cannot be asked for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Exception, LogUnderTest } from '../conformance/case.ts';
import type { EventLog } from '../port.ts';

/** Opens doors to one log, and closes them all. */
export type Doors = { readonly open: () => Promise<EventLog>; readonly close: () => Promise<void> };

export const logInFolder = (doorsTo: (url: string) => Doors): LogUnderTest => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-log-'));
  const url = `file:${directory}`;
  const { open, close } = doorsTo(url);
  const behindItsBack = async (statement: string) => {
    await close();
    const database = new DatabaseSync(join(directory, 'event-log.sqlite'));
    database.exec(statement);
    database.close();
  };
  return {
    url,
    open,
    close,
    truncateFacts: (sequence) => behindItsBack(`DELETE FROM facts WHERE sequence < ${sequence}`),
    truncateRecords: () => behindItsBack('DELETE FROM quarantine WHERE position < 3'),
    [Symbol.asyncDispose]: async () => {
      await close();
      rmSync(directory, { recursive: true });
    },
  };
};

const oneOwner = 'one process owns the file and is the only one that writes it: there are no strangers in it';
const noNetwork = 'there is no network between the writer and the log: a write ends in the call that began it';
export const exceptions: readonly Exception[] = [
  { test: 'admits a repeated record once', because: oneOwner },
  { test: 'reports what is no fact with its bytes and place, and reads on behind it', because: oneOwner },
  { test: 'finds out what became of an append whose acknowledgement was lost', because: noNetwork },
  { test: 'loses no record behind one whose acknowledgement was lost', because: noNetwork },
  {
    test: 'falls silent while the log is away, refuses to be asked, and goes on by itself afterwards',
    because: 'the log is in this process: it is away when the process is',
  },
];
