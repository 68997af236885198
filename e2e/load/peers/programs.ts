/** Programs that are not Postern's: looked for on PATH and where `install.sh` puts them; started, awaited and ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';

const cache = join(import.meta.dirname, '../../../node_modules/.cache/peers/bin');

export type ProgramName =
  | 'nginx'
  | 'caddy'
  | 'traefik'
  | 'envoy'
  | 'spicedb-adapter'
  | 'spicedb'
  | 'oathkeeper'
  | 'keto'
  | 'vegeta'
  | 'wrk';

export const foundProgram = (name: ProgramName): string | undefined =>
  [cache, ...(process.env['PATH'] ?? '').split(delimiter)].map((folder) => join(folder, name)).find(isExecutable);

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

export type Program = {
  readonly pid: number;
  /** What it said so far, on either stream. */
  readonly output: () => string;
  readonly close: () => Promise<void>;
};

const startTimeoutMs = 20_000;

/** Resolves when `port` of the loopback takes connections; rejects with what the program said when it ends before. */
export const startProgramAt = async (
  file: string,
  args: readonly string[],
  port: number,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Program> => {
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = `${output}${chunk.toString()}`.slice(-20_000);
    });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.once('error', (error) => {
    output += error.message;
  });
  const close = async (): Promise<void> => {
    process.off('exit', kill);
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(late);
  };
  const deadline = performance.now() + startTimeoutMs;
  while (!(await answers(port))) {
    if (over(child) || performance.now() > deadline) {
      await close();
      throw new Error(`${file} does not listen on ${port}:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { pid: child.pid ?? 0, output: () => output, close };
};

const over = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
