/** SpiceDB inside this process, in memory: filled from the log at every start, gone at every stop. */
import { Worker } from 'node:worker_threads';
import { Problem } from '@postern/schemas';
import type { Relationships } from '../port.ts';
import { type Bridge, bridgeTo } from './bridge.ts';
import { type StreamKind, streamPage } from './messages.ts';

export type EmbeddedOptions = { readonly deadlineMs?: number };

export const openEmbedded = async ({ deadlineMs = 30_000 }: EmbeddedOptions = {}): Promise<Relationships> => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: 'postern-relationships' });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', (cause) =>
      reject(
        new Problem('authorizer/engine-unreachable', {
          detail: `the embedded relationship engine did not start: ${cause instanceof Error ? cause.message : cause}`,
          cause,
        }),
      ),
    );
  });
  return portOver(bridgeTo(worker, deadlineMs));
};

const portOver = (bridge: Bridge): Relationships => {
  let streams = 0;
  async function* stream<Item>(kind: StreamKind, ...args: readonly unknown[]): AsyncGenerator<Item> {
    const id = ++streams;
    await bridge.call('openStream', id, kind, ...args);
    let finished = false;
    try {
      while (!finished) {
        const page = await bridge.call<{ items: Item[]; done: boolean }>('nextOfStream', id);
        finished = page.done || page.items.length < streamPage;
        yield* page.items;
      }
    } finally {
      if (!finished) await bridge.call('closeStream', id).catch(() => undefined);
    }
  }
  return {
    writeSchema: (schema) => bridge.call('writeSchema', schema),
    reached: () => bridge.call('reached'),
    project: (projection) => bridge.call('project', projection),
    check: (items, zookie) => bridge.call('check', items, zookie),
    checkAt: (items, at) => bridge.call('checkAt', items, at),
    read: () => stream('read'),
    subjects: (query, zookie) => stream('subjects', query, zookie),
    resources: (query, zookie) => stream('resources', query, zookie),
    ping: () => bridge.call('ping'),
    [Symbol.asyncDispose]: () => bridge.stop(),
  };
};
