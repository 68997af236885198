/** One `postern …` that is expected to end by itself. */
import { spawn } from 'node:child_process';
import { posternMain } from './embedded.ts';

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
