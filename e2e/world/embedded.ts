/** The embedded world for a test: a started `postern up --demo` of its own, on free ports, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const posternMain = join(root, 'services/cli/src/main.ts');

export type Running = {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
};

/** Starts `postern …`; resolves when stdout says `ready`, rejects with all output when it ends before. */
export const startPostern = async (
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    /** Kills it where it is not ready yet. */
    readonly givenUp?: AbortSignal;
  },
): Promise<Running> => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', posternMain, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let output = '';
  const ready = Promise.withResolvers<void>();
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (/^ready/m.test(output) || /"msg":"ready"/.test(output)) ready.resolve();
    });
  void ended.then((code) =>
    ready.reject(new Error(`postern ${args.join(' ')} ended with ${code} before it was ready:\n${output}`)),
  );
  const kill = (): void => void child.kill('SIGKILL');
  options.givenUp?.addEventListener('abort', kill);
  await ready.promise.finally(() => options.givenUp?.removeEventListener('abort', kill));
  return { process: child, output: () => output, ended };
};

/** Four free ports in a row. */
export const freeBasePort = async (): Promise<number> => {
  const free = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 20_000);
    const all = await Promise.all([0, 1, 2, 3].map((more) => free(base + more)));
    if (all.every(Boolean)) return base;
  }
};

export type DemoWorld = AsyncDisposable & {
  readonly folder: string;
  readonly basePort: number;
  readonly gate: string;
  readonly health: string;
  readonly key: string;
  readonly token: (subject: string) => Promise<string>;
  readonly running: () => Running;
  /** Kills with `signal` and starts again on the same state. */
  readonly restart: (signal: NodeJS.Signals) => Promise<void>;
};

export const demoWorld = async (): Promise<DemoWorld> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-world-'));
  const basePort = await freeBasePort();
  const start = () => startPostern(['up', '--demo', '--base-port', String(basePort)], { cwd: folder });
  let running = await start();
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    running.process.kill(signal);
    await running.ended;
  };
  return {
    folder,
    basePort,
    gate: `http://127.0.0.1:${basePort}`,
    health: `http://127.0.0.1:${basePort + 1}`,
    key: (await readFile(join(folder, '.postern/admin.key'), 'utf8')).trim(),
    token: async (subject) => (await fetch(`http://127.0.0.1:${basePort + 3}/token/${subject}`)).text(),
    running: () => running,
    restart: async (signal) => {
      await stop(signal);
      running = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
};
