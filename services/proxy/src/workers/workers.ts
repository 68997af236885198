/**
 * Several gates on one address, each a process of its own: the kernel shares connections out among them. Each has its own
 * organisation, cache, lease and heartbeats, so that whoever waits for an enforcement waits for each. One that ends without having
 * been told to is started again, later each time.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Clock, Logger, Service } from '@postern/runtime';
import { metrics as names, type Telemetry } from '@postern/telemetry';
import { replays } from '../identify/replays.ts';
import type { FromWorker, ToWorker, WorkerState } from './messages.ts';
import { workerEnvironment } from './worker.ts';

export type WorkersDeps = {
  /** The program that each runs, and its arguments. */
  readonly command: string;
  readonly args: readonly string[];
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
};

const restartAfterMs = 500;
const restartAfterMsMax = 30_000;
/** Whoever has lived this long starts again as if for the first time. */
const settledAfterMs = 60_000;
const snapshotTimeoutMs = 2_000;

type Worker = {
  readonly number: number;
  child: ChildProcess | undefined;
  state: WorkerState | undefined;
  startedAt: number;
  restarts: number;
  timer: NodeJS.Timeout | undefined;
  readonly waiting: Map<number, (snapshot: unknown) => void>;
};

export type Workers = Service & {
  /** Of the processes, in the order of their numbers; undefined where one does not run. */
  readonly pids: () => readonly (number | undefined)[];
};

export const workers = ({ command, args, log, telemetry, clock }: WorkersDeps, count: number): Workers => {
  const all: Worker[] = Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    child: undefined,
    state: undefined,
    startedAt: 0,
    restarts: 0,
    timer: undefined,
    waiting: new Map(),
  }));
  const running = telemetry.metrics.gauge(names.workersRunning, 'Gates of this process that are ready');
  const restarted = telemetry.metrics.counter(names.workerRestarts, 'Gates that ended unasked and were started again');
  let stopping = false;
  let wereReady = false;
  let asked = 0;
  const proofs = replays(clock);
  const nonceSecret = randomBytes(32).toString('base64');

  const isReady = ({ state }: Worker): boolean => state !== undefined && state.notReady.length === 0;
  const heard = (worker: Worker, message: FromWorker): void => {
    if (message.kind === 'state') {
      worker.state = message;
      wereReady ||= all.every(isReady);
      running(all.filter(isReady).length);
      return;
    }
    if (message.kind === 'proof') {
      const answer: ToWorker = {
        kind: 'proof',
        id: message.id,
        noted: proofs.note(message.key, message.proof, message.forMs),
      };
      worker.child?.send(answer, () => {});
      return;
    }
    worker.waiting.get(message.id)?.(message.snapshot);
    worker.waiting.delete(message.id);
  };
  /** Resolves when it has told how it is for the first time; rejects when it ended before. */
  const start = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(command, [...args], {
        env: { ...process.env, ...workerEnvironment(worker.number, nonceSecret) },
      });
      worker.child = child;
      worker.startedAt = clock.elapsed();
      child.on('message', (message: FromWorker) => {
        heard(worker, message);
        resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        worker.child = undefined;
        worker.state = undefined;
        for (const answer of worker.waiting.values()) answer(undefined);
        worker.waiting.clear();
        running(all.filter(isReady).length);
        reject(new Error(`gate ${worker.number} ended as it started (${signal ?? code})`));
        if (!stopping && wereReady) startAgain(worker, { code, signal });
      });
    });
  const startAgain = (worker: Worker, how: object): void => {
    if (clock.elapsed() - worker.startedAt > settledAfterMs) worker.restarts = 0;
    const afterMs = Math.min(restartAfterMsMax, restartAfterMs * 2 ** Math.min(worker.restarts, 10));
    worker.restarts++;
    restarted(1);
    log.fatal(
      { gate: worker.number, afterMs, ...how },
      'a gate ended without having been told to; it is started again',
    );
    worker.timer = setTimeout(() => {
      // What it ends with is told by its exit.
      start(worker).catch(() => {});
    }, afterMs);
  };
  const onHangup = (): void => {
    for (const { child } of all) child?.kill('SIGHUP');
  };

  return {
    name: 'gates',
    pids: () => all.map(({ child }) => child?.pid),
    start: async () => {
      process.on('SIGHUP', onHangup);
      await Promise.all(all.map(start));
    },
    // Once all have been ready the others serve while one is started again: the kernel sends it no connections.
    notReady: () =>
      stopping
        ? ['stopping']
        : wereReady && all.some(isReady)
          ? []
          : all.flatMap(({ number, state }) =>
              state === undefined
                ? [`gate ${number} does not run`]
                : state.notReady.map((what) => `gate ${number}: ${what}`),
            ),
    observing: () => all.find(({ state }) => state !== undefined)?.state?.observing ?? [],
    targets: () =>
      all.flatMap(({ number, state }) => (state?.targets ?? []).map((target) => ({ ...target, gate: number }))),
    snapshots: () =>
      Promise.all(
        all.map(
          (worker) =>
            new Promise<unknown>((resolve) => {
              const { child } = worker;
              if (child === undefined || !child.connected) return resolve(undefined);
              const message: ToWorker = { kind: 'snapshot', id: ++asked };
              worker.waiting.set(message.id, resolve);
              setTimeout(resolve, snapshotTimeoutMs, undefined).unref();
              child.send(message, () => {});
            }),
        ),
      ),
    stop: async () => {
      stopping = true;
      process.off('SIGHUP', onHangup);
      await Promise.all(
        all.map(({ child, timer }) => {
          clearTimeout(timer);
          if (child === undefined) return undefined;
          const ended = new Promise((resolve) => child.once('exit', resolve));
          child.kill('SIGTERM');
          return ended;
        }),
      );
    },
  };
};
