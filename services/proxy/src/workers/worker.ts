/** A gate that is one of several: it tells the process over it how it is, and ends with it. */
import type { Telemetry } from '@postern/telemetry';
import type { ProxyService } from '../app.ts';
import type { ProofMemory } from '../identify/dpop.ts';
import type { Noted } from '../identify/replays.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const numberVariable = 'POSTERN_WORKER';
const nonceVariable = 'POSTERN_WORKER_NONCE_SECRET';
export const workerEnvironment = (number: number, nonceSecret: string): Record<string, string> => ({
  [numberVariable]: String(number),
  [nonceVariable]: nonceSecret,
});
/** From 1 up; undefined in a process that is not one of several. */
export const workerNumber = (environment: NodeJS.ProcessEnv): number | undefined => {
  const number = Number(environment[numberVariable]);
  return process.send !== undefined && Number.isInteger(number) && number > 0 ? number : undefined;
};

/** The process over the gates answers within a millisecond; where it does not, no proof counts. */
const noteTimeoutMs = 1_000;

/** One memory of proofs for all the gates: the process over them has it. */
export const parentsProofMemory = (environment: NodeJS.ProcessEnv): ProofMemory => {
  const waiting = new Map<number, (noted: Noted) => void>();
  let asked = 0;
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'proof') waiting.get(message.id)?.(message.noted);
  });
  return {
    nonceSecret: Buffer.from(environment[nonceVariable] ?? '', 'base64'),
    seen: {
      note: (key, proof, forMs) =>
        new Promise((resolve) => {
          const id = ++asked;
          const done = (noted: Noted): void => {
            clearTimeout(timer);
            waiting.delete(id);
            resolve(noted);
          };
          const timer = setTimeout(done, noteTimeoutMs, 'full');
          waiting.set(id, done);
          const question: FromWorker = { kind: 'proof', id, key, proof, forMs };
          if (process.connected) process.send?.(question, undefined, {}, () => {});
          else done('full');
        }),
    },
  };
};

const tellEveryMs = 100;

/** Disposed of, it tells nothing more and lets the process end. */
export const tellParent = (
  proxy: Pick<ProxyService, 'notReady' | 'observing' | 'targets'>,
  { metrics }: Telemetry,
): Disposable => {
  const tell = (message: FromWorker): void => {
    // A parent that is going away takes no more messages; its end is heard of below.
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
  const tellState = (): void =>
    tell({ kind: 'state', notReady: proxy.notReady(), observing: proxy.observing?.() ?? [], targets: proxy.targets() });
  const onMessage = ({ kind, id }: ToWorker): void => {
    if (kind !== 'snapshot') return;
    metrics.snapshot().then(
      (snapshot) => tell({ kind: 'snapshot', id, snapshot }),
      () => tell({ kind: 'snapshot', id, snapshot: undefined }),
    );
  };
  const onDisconnect = (): void => {
    process.kill(process.pid, 'SIGTERM');
  };
  // A second signal, of a terminal and of the parent, must not end what the first one has begun to drain.
  const ignore = (): void => {};
  process.on('SIGTERM', ignore).on('SIGINT', ignore);
  process.on('message', onMessage);
  process.once('disconnect', onDisconnect);
  const timer = setInterval(tellState, tellEveryMs);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      process.off('SIGTERM', ignore).off('SIGINT', ignore);
      process.off('message', onMessage);
      process.off('disconnect', onDisconnect);
      if (process.connected) process.disconnect();
    },
  };
};
