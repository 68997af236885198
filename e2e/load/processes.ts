/** Processes of the bench: started, awaited, measured by what the kernel charged them, and ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Started = { readonly pid: number; readonly said: () => string; readonly stop: () => Promise<void> };

const stopped = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });

/** Starts a Node program of this folder and waits until it says `ready` on a line of its own. */
export const startProgram = async (
  file: string,
  args: readonly (string | number)[],
  nodeOptions: readonly string[] = [],
): Promise<Started> => {
  const flags = ['--disable-warning=ExperimentalWarning', ...nodeOptions];
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, file), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (/^ready$/m.test(said)) resolve();
    });
  });
  return { pid: child.pid ?? 0, said: () => said, stop: () => stopped(child) };
};

/** CPU time (user and system) of a process and its children so far, in µs (Linux: /proc/PID/stat counts ticks of 10 ms). */
export const cpuMicrosOf = async (pid: number): Promise<number> => {
  const own = await ticksOf(pid);
  let sum = own;
  for (const child of await childrenOf(pid)) sum += (await cpuMicrosOf(child)) / 10_000;
  return sum * 10_000;
};

const ticksOf = async (pid: number): Promise<number> => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

const childrenOf = async (pid: number): Promise<number[]> => {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
};
