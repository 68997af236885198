/**
 * The load: `wrk` where it is on the machine, since it costs the least of the cores that everybody here shares, else autocannon. Load at a
 * given rate is autocannon's, which corrects for what a slow answer keeps from being sent.
 */
import { spawn, spawnSync } from 'node:child_process';
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

export const generator = spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'autocannon';

const complain = async ({ url, headers }: Target, what: string): Promise<never> => {
  const now = await fetch(url, { headers });
  throw new Error(`${url}: ${what}; now it says ${now.status} ${(await now.text()).slice(0, 300)}`);
};

export const atFullSpeed = async (target: Target, connections: number, seconds: number): Promise<Loaded> =>
  generator === 'wrk' ? wrk(target, connections, seconds) : cannon(target, { connections, duration: seconds });

/** `rate` requests a second over all connections, whether or not the answers keep up. */
export const atRate = (target: Target, connections: number, seconds: number, rate: number): Promise<Loaded> =>
  cannon(target, { connections, duration: seconds, overallRate: Math.max(1, Math.floor(rate)) });

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
