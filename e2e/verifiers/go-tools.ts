/** Builds the verifiers that are not ours, and runs them. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Ran = { readonly code: number | null; readonly said: string };
export type Verifiers = AsyncDisposable & {
  /** x/mod/sumdb and transparency-dev/formats. */
  readonly outside: (args: readonly string[], input?: Iterable<string>) => Promise<Ran>;
  /** Tessera's, over the files of a log. It hangs on some broken logs: a run that does not end in time has not accepted. */
  readonly fsck: (folder: string, vkeyFile: string) => Promise<Ran>;
};

const here = import.meta.dirname;
const fsckTimeoutMs = 20_000;

/** False where there is no Go, or why it is not used. */
export const whyNoGo = (): string | false =>
  spawnSync('go', ['version']).status === 0 ? false : 'Go is not on this machine: nobody else has judged these files';

export const buildVerifiers = async (): Promise<Verifiers> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-verifiers-'));
  for (const what of ['./outside', 'github.com/transparency-dev/tessera/cmd/fsck']) {
    const built = await run('go', ['build', '-o', `${folder}/`, what], { cwd: here });
    if (built.code !== 0) throw new Error(`go build ${what}: ${built.said}`);
  }
  return {
    outside: (args, input) => run(join(folder, 'outside'), args, { input }),
    fsck: (log, vkeyFile) =>
      run(join(folder, 'fsck'), ['-ui=false', `-storage_url=file://${log}/`, `-public_key=${vkeyFile}`], {
        timeoutMs: fsckTimeoutMs,
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
};

const run = (
  command: string,
  args: readonly string[],
  { cwd, input, timeoutMs }: { cwd?: string; input?: Iterable<string> | undefined; timeoutMs?: number } = {},
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd !== undefined && { cwd }),
      ...(timeoutMs && { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
    // It may refuse, and end, before it has read everything.
    child.stdin.on('error', () => {});
    for (const line of input ?? []) child.stdin.write(`${line}\n`);
    child.stdin.end();
  });
