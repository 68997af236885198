/**
 * The load: `wrk` where it is on the machine, since it costs the least of the cores that everybody here shares, else autocannon. Load at a
 * given rate is nghttp2's `h2load`, which tells each request's time in microseconds, else autocannon's, which knows whole milliseconds.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';

export type Target = { readonly url: string; readonly headers: Readonly<Record<string, string>> };
/** Latencies in ms. */
export type Loaded = {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
};

const isHere = (program: string, ...args: string[]): boolean => spawnSync(program, args).error === undefined;
export const generator = isHere('wrk', '-v') ? 'wrk' : 'autocannon';
export const rateGenerator = isHere('h2load', '--version') ? 'h2load' : 'autocannon';

const complain = async ({ url, headers }: Target, what: string): Promise<never> => {
  const now = await fetch(url, { headers });
  throw new Error(`${url}: ${what}; now it says ${now.status} ${(await now.text()).slice(0, 300)}`);
};

export const atFullSpeed = async (target: Target, connections: number, seconds: number): Promise<Loaded> =>
  generator === 'wrk' ? wrk(target, connections, seconds) : cannon(target, { connections, duration: seconds });

/** `rate` requests a second over all connections, whether or not the answers keep up. */
export const atRate = (target: Target, connections: number, seconds: number, rate: number): Promise<Loaded> =>
  rateGenerator === 'h2load'
    ? h2load(target, connections, seconds, rate)
    : cannon(target, { connections, duration: seconds, overallRate: Math.max(1, Math.floor(rate)) });

const h2load = async (target: Target, connections: number, seconds: number, rate: number): Promise<Loaded> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-load-'));
  try {
    const file = join(folder, 'requests');
    const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const many = ['-t1', `-c${connections}`, '-D', String(seconds), '--rps', String(rate / connections)];
    const child = spawn('h2load', ['--h1', ...many, '--log-file', file, ...headers, target.url], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('close', resolve));
    // Columns: when it began (µs since the epoch), the status, how long it took (µs).
    const lines = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));
    const refused = lines.filter(([, status]) => status !== '200').length;
    if (refused > 0) return complain(target, `${refused} answers were not 200`);
    const micros = lines.map(([, , took]) => Number(took)).sort((a, b) => a - b);
    const quantile = (share: number): number => (micros[Math.floor((micros.length - 1) * share)] ?? 0) / 1e3;
    return { requests: micros.length, seconds, p50: quantile(0.5), p99: quantile(0.99) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const cannon = async (
  target: Target,
  load: { connections: number; duration: number; overallRate?: number },
): Promise<Loaded> => {
  const { url, headers } = target;
  const result = await autocannon({ url, headers, ...load, excludeErrorStats: false });
  if (result.non2xx > 0 || result.errors > 0)
    return complain(target, `${result.non2xx} answers were not 200, ${result.errors} failed`);
  const { total } = result.requests;
  if (total === 0) return complain(target, 'nothing was answered');
  return { requests: total, seconds: result.duration, p50: result.latency.p50, p99: result.latency.p99 };
};

const wrk = async (target: Target, connections: number, seconds: number): Promise<Loaded> => {
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const threads = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', join(import.meta.dirname, 'wrk.lua')];
  const child = spawn('wrk', [...threads, ...headers, target.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  const [, requests = 0, micros = 0, p50 = 0, p99 = 0, notFine = 0, failed = 0] =
    /^measured (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(said)?.map(Number) ?? [];
  if (notFine > 0 || failed > 0) return complain(target, `${notFine} answers were not 2xx, ${failed} failed`);
  if (requests === 0) return complain(target, 'nothing was answered');
  return { requests, seconds: micros / 1e6, p50: p50 / 1e3, p99: p99 / 1e3 };
};
