/** `postern …` as a test starts it: until it ends by itself, or until the test is over. */
import { spawn } from 'node:child_process';
import { posternMain, type Running, startPostern } from './embedded.ts';

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Resolves when it has ended; rejects when that takes longer than `timeoutMs`, with what it said until then. */
export const postern = (
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly input?: string;
    readonly timeoutMs?: number;
  },
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { POSTERN_URL: _url, POSTERN_KEY: _key, ...environment } = process.env;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', posternMain, ...args], {
      cwd: options.cwd,
      env: { ...environment, ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`postern ${args.join(' ')} did not end:\n${stdout}\n${stderr}`));
    }, options.timeoutMs ?? 30_000);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
    child.stdin.end(options.input ?? '');
  });

/** A started process that does not outlive the test, however the test ends. */
export const started = async (args: readonly string[], cwd: string): Promise<Running & AsyncDisposable> => {
  const running = await startPostern(args, { cwd });
  return {
    ...running,
    [Symbol.asyncDispose]: async () => {
      running.process.kill('SIGKILL');
      await running.ended;
    },
  };
};
