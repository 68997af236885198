/** `postern` processes of a world: each with a folder and a postern.yaml of its own, ended and started again by name. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Running, startPostern } from './embedded.ts';
import type { Health } from './world.ts';

export type Process = AsyncDisposable & {
  readonly folder: string;
  /** Resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** Resolves when it has ended; it is killed where it takes longer than ten seconds. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
  /** Sends a signal that does not end it. */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP') => void;
  readonly health: () => Promise<Health>;
  readonly output: () => string;
  /** Writes postern.yaml anew, as an editor does: in one step. */
  readonly reconfigure: (change: (config: Config) => object) => Promise<void>;
};

type Config = Readonly<Record<string, unknown>>;
export type ProcessSpec = {
  readonly folder: string;
  /** `up`, or `serve` and a room. */
  readonly args: readonly string[];
  /** postern.yaml; JSON is YAML. */
  readonly config: Readonly<Record<string, unknown>> & { readonly health: string };
};

const startTimeoutMs = 90_000;

export const posternProcess = async ({ folder, args, config }: ProcessSpec): Promise<Process> => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'postern.yaml'), JSON.stringify(config, null, 2));
  let running: Running | undefined;
  let printed = '';
  const over = new AbortController();
  const stop: Process['stop'] = async (signal = 'SIGTERM') => {
    const ending = running;
    if (ending === undefined) return;
    running = undefined;
    ending.process.kill(signal);
    // Whatever is frozen hears of its end only when it goes on.
    ending.process.kill('SIGCONT');
    const late = setTimeout(() => ending.process.kill('SIGKILL'), 10_000);
    await ending.ended;
    clearTimeout(late);
    printed += ending.output();
  };
  return {
    folder,
    stop,
    start: async () => {
      running = await startPostern([...args, '--config', 'postern.yaml'], {
        cwd: folder,
        givenUp: AbortSignal.any([over.signal, AbortSignal.timeout(startTimeoutMs)]),
      });
    },
    signal: (signal) => void running?.process.kill(signal),
    health: async () => {
      const response = await fetch(`http://${config.health}/readyz`);
      const { notReady, watched = [] } = (await response.json()) as Pick<Health, 'notReady'> & Partial<Health>;
      return { status: response.status, notReady, watched };
    },
    output: () => printed + (running?.output() ?? ''),
    reconfigure: async (change) => {
      const draft = join(folder, 'postern.yaml.new');
      await writeFile(draft, JSON.stringify(change(config), null, 2));
      await rename(draft, join(folder, 'postern.yaml'));
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await stop();
    },
  };
};

/** Free ports of the loopback. All are held until the last one is known, so that no two are the same. */
export const freeAddresses = async (count: number): Promise<string[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))),
  );
  const addresses = servers.map((server) => {
    const address = server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return addresses;
};
