import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { eventLogConformance, type LogUnderTest } from '../conformance.ts';
import { openEmbedded } from '../embedded/open.ts';
import type { EventLog } from '../port.ts';
import { connectedLog } from './connect.ts';
import { servedLogs } from './serve.ts';

/** Any number of doors to one log: each a message port of its own, as each thread has one. */
const folder = (): LogUnderTest => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bridged-'));
  const url = `file:${directory}`;
  const served = servedLogs();
  let log: EventLog | undefined;
  let doors: EventLog[] = [];
  const close = async () => {
    for (const door of doors) await door[Symbol.asyncDispose]();
    doors = [];
    await log?.[Symbol.asyncDispose]();
    log = undefined;
  };
  const behindItsBack = async (statement: string) => {
    await close();
    const database = new DatabaseSync(join(directory, 'event-log.sqlite'));
    database.exec(statement);
    database.close();
  };
  return {
    url,
    open: async () => {
      log ??= openEmbedded(url, { carrier: served.carrier });
      const { port1, port2 } = new MessageChannel();
      served.serve(log, port1);
      const door = connectedLog(port2);
      doors.push(door);
      return door;
    },
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
const noNetwork = 'there is no network between the writer and the log';
eventLogConformance('bridged', async () => ({ create: async () => folder(), [Symbol.asyncDispose]: async () => {} }), [
  { test: 'admits a repeated record once', because: oneOwner },
  { test: 'reports what is no fact with its bytes and place, and reads on behind it', because: oneOwner },
  { test: 'finds out what became of an append whose acknowledgement was lost', because: noNetwork },
  { test: 'loses no record behind one whose acknowledgement was lost', because: noNetwork },
  {
    test: 'falls silent while the log is away, refuses to be asked, and goes on by itself afterwards',
    because: 'the log is in this process: it is away when the process is',
  },
]);
