/**
 * The load: `wrk` where it is on the machine, since it costs the least of the cores that everybody here shares, else autocannon. Load at a
 * given rate is vegeta's, which spaces it evenly and tells times in nanoseconds, else autocannon's, which knows whole milliseconds.
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';
import { foundProgram } from './peers/programs.ts';

export type Target = { readonly url: string; readonly headers: Readonly<Record<string, string>> };
/** Latencies in ms. */
export type Loaded = {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
};

export const generator = spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'autocannon';
const vegetaProgram = foundProgram('vegeta');
export const rateGenerator = vegetaProgram === undefined ? 'autocannon' : 'vegeta';

const complain = async ({ url, headers }: Target, what: string): Promise<never> => {
  const now = await fetch(url, { headers });
  throw new Error(`${url}: ${what}; now it says ${now.status} ${(await now.text()).slice(0, 300)}`);
};

export const atFullSpeed = async (target: Target, connections: number, seconds: number): Promise<Loaded> =>
  generator === 'wrk' ? wrk(target, connections, seconds) : cannon(target, { connections, duration: seconds });

/** `rate` requests a second over all connections, whether or not the answers keep up. */
export const atRate = (target: Target, connections: number, seconds: number, rate: number): Promise<Loaded> =>
  vegetaProgram !== undefined
    ? vegeta(vegetaProgram, target, connections, seconds, rate)
    : cannon(target, { connections, duration: seconds, overallRate: Math.max(1, Math.floor(rate)) });

/** Evenly spaced, whatever becomes of those before; in microseconds. */
const vegeta = async (
  program: string,
  { url, headers }: Target,
  connections: number,
  seconds: number,
  rate: number,
): Promise<Loaded> => {
  const sent = Object.entries(headers).flatMap(([name, value]) => ['-header', `${name}: ${value}`]);
  const how = ['-rate', String(Math.max(1, Math.floor(rate))), '-duration', `${seconds}s`];
  const most = ['-connections', '-max-connections', '-max-workers'].flatMap((each) => [each, String(connections)]);
  const attack = spawn(program, ['attack', ...most, ...how, ...sent], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  attack.stdin.end(`GET ${url}\n`);
  const report = spawn(program, ['report', '-type', 'json'], { stdio: ['pipe', 'pipe', 'inherit'] });
  attack.stdout.pipe(report.stdin);
  const { requests, latencies, success, status_codes } = JSON.parse(await text(report.stdout)) as {
    readonly requests: number;
    readonly success: number;
    readonly status_codes: Readonly<Record<string, number>>;
    /** Nanoseconds. */
    readonly latencies: Readonly<Record<'50th' | '99th', number>>;
  };
  if (success < 1) return complain({ url, headers }, `it answered ${JSON.stringify(status_codes)}`);
  return { requests, seconds, p50: latencies['50th'] / 1e6, p99: latencies['99th'] / 1e6 };
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
