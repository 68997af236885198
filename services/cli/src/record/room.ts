/** The record's thread as the process sees it: the log it serves, and the audit room as a service. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { EventLog } from '@postern/event-log';
import { connectLog, isEmbedded, openEventLog } from '@postern/event-log/open';
import { eventLogUrl, type LoadedConfig, type Service } from '@postern/runtime';
import { arrivedProblem } from '@postern/schemas';
import type { Telemetry } from '@postern/telemetry';
import type { Beginning, FromRecord, ToRecord } from './messages.ts';

export type RecordRoom = AsyncDisposable & {
  readonly eventLog: EventLog;
  readonly audit: Service & {
    /** Base URL of the room's API; only after the start. */
    readonly url: () => string;
  };
  /** The thread's own part of `/metrics`. */
  readonly metrics: () => Promise<string>;
};

export type RecordRoomDeps = {
  readonly telemetry: Telemetry;
  /** The thread is gone, and with it the log: nothing more can be right in this process. */
  readonly onLost: (why: string) => void;
};

/** Rejects with the problem that keeps the log or the record from being opened. */
export const openRecordRoom = async (
  { config, folder, file, ...rest }: LoadedConfig,
  { telemetry, onLost }: RecordRoomDeps,
): Promise<RecordRoom> => {
  const loaded = { config, folder, file };
  const url = eventLogUrl({ ...loaded, ...rest });
  const channel = isEmbedded(url) ? new MessageChannel() : undefined;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'postern-record',
    workerData: { loaded, log: channel?.port1 } satisfies Beginning,
    transferList: channel === undefined ? [] : [channel.port1],
  });
  let notReady: readonly string[] = ['the record has not been started'];
  let closing = false;
  let waiting: { said: FromRecord['said']; resolve: (message: FromRecord) => void; reject: (error: Error) => void }[] =
    [];
  const hear = <Said extends FromRecord['said']>(said: Said): Promise<Extract<FromRecord, { said: Said }>> =>
    new Promise((resolve, reject) => waiting.push({ said, resolve: resolve as (message: FromRecord) => void, reject }));
  const fail = (error: Error): void => {
    for (const { reject } of waiting) reject(error);
    waiting = [];
  };
  const tell = (what: ToRecord): void => worker.postMessage(what);
  worker.on('message', (message: FromRecord) => {
    if (message.said === 'standing') notReady = message.notReady;
    else if (message.said === 'failed') fail(arrivedProblem(message.problem));
    else {
      const heard = waiting.find(({ said }) => said === message.said);
      waiting = waiting.filter((each) => each !== heard);
      heard?.resolve(message);
    }
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const lost = (why: string): void => {
    notReady = [`the record's thread ${why}`];
    fail(new Error(`the record's thread ${why}`));
    if (!closing) onLost(why);
  };
  worker.on('error', (error) => lost(`failed: ${error instanceof Error ? error.message : String(error)}`));
  worker.on('exit', () => lost('ended'));

  try {
    await hear('opened');
  } catch (error) {
    closing = true;
    channel?.port2.close();
    throw error;
  }
  const eventLog =
    channel === undefined ? await openEventLog(url, { telemetry }) : connectLog(channel.port2, { telemetry });
  let base: string | undefined;
  return {
    eventLog,
    audit: {
      name: 'audit',
      url: () => {
        if (base === undefined) throw new Error('the record does not listen yet');
        return base;
      },
      notReady: () => notReady,
      start: async () => {
        tell('start');
        base = (await hear('started')).url;
      },
      stop: async () => {
        tell('stop');
        await hear('stopped');
      },
    },
    metrics: async () => {
      tell('metrics');
      return (await hear('metrics')).text;
    },
    [Symbol.asyncDispose]: async () => {
      closing = true;
      await eventLog[Symbol.asyncDispose]();
      tell('close');
      await ended;
    },
  };
};
