/** A whole gate for a test: a real log, a recording API behind it, and an answer for every question. */
import type { EventLog } from '@postern/event-log';
import { type Clock, silentLogger, systemClock } from '@postern/runtime';
import { DecisionBatch, type DecisionRecord, type FactDraft } from '@postern/schemas';
import { noTelemetry } from '@postern/telemetry';
import { type ProxyConfig, type ProxyDeps, type ProxyService, proxyService, type UpstreamConfig } from '../app.ts';
import { type BruteForce, bruteForce } from './brute-force.ts';
import { appendAll } from './facts.ts';
import { type RawAnswer, sendRaw } from './raw.ts';
import { recordingUpstream, type Upstream } from './upstream.ts';

export type Trial = AsyncDisposable & {
  readonly proxy: ProxyService;
  readonly port: number;
  readonly url: string;
  readonly upstream: Upstream;
  readonly point: BruteForce;
  readonly log: EventLog;
  /** Appends, and waits until the proxy enforces it. */
  readonly tell: (...drafts: FactDraft[]) => Promise<void>;
  readonly raw: (text: string) => Promise<RawAnswer>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>;
  /** Waits until the log holds at least this many decisions. */
  readonly decisions: (atLeast: number) => Promise<DecisionRecord[]>;
};

export type TrialOptions = {
  readonly config?: Partial<ProxyConfig>;
  readonly deps?: Partial<ProxyDeps>;
  readonly clock?: Clock;
  readonly service?: string;
  readonly bodyBytesMax?: number;
  readonly timeoutMs?: number;
  readonly graphql?: UpstreamConfig['graphql'];
  /** Whatever else is configured of the service. */
  readonly traffic?: Partial<UpstreamConfig>;
};

export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
};

export const startTrial = async (
  log: EventLog,
  facts: readonly FactDraft[],
  options: TrialOptions = {},
): Promise<Trial> => {
  const {
    config = {},
    deps = {},
    clock = systemClock,
    service = 'payroll',
    bodyBytesMax = 1_000,
    timeoutMs = 5_000,
    graphql,
    traffic,
  } = options;
  const upstream = await recordingUpstream();
  const point = bruteForce(log);
  await appendAll(log, ...facts);
  const proxy = proxyService(
    { eventLog: log, decisionPoint: point, clock, telemetry: noTelemetry, log: silentLogger, ...deps },
    {
      instance: 'trial',
      listen: '127.0.0.1:0',
      upstreams: {
        [service]: { upstream: upstream.url, timeoutMs, bodyBytesMax, ...(graphql && { graphql }), ...traffic },
      },
      issuers: [],
      trustedProxies: [],
      leaseMs: 5_000,
      cachedDecisionsMax: 10_000,
      drain: { delayMs: 0, idleMs: 0, timeoutMs: 5_000 },
      ...config,
    },
  );
  await proxy.start();
  await until(() => proxy.notReady().length === 0);
  const port = proxy.address()?.port ?? 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    proxy,
    port,
    url,
    upstream,
    point,
    log,
    tell: async (...drafts) => {
      const last = (await appendAll(log, ...drafts)).at(-1)?.sequence ?? 0;
      await until(() => proxy.enforces() >= last);
    },
    raw: (text) => sendRaw(port, text),
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
    decisions: async (atLeast) => {
      const found: DecisionRecord[] = [];
      const over = new AbortController();
      for await (const { records } of log.decisions.follow({}, { signal: over.signal, beatMs: 50 })) {
        for (const { bytes } of records)
          found.push(...DecisionBatch.parse(JSON.parse(Buffer.from(bytes).toString())).decisions);
        if (found.length >= atLeast) over.abort();
      }
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await proxy.stop();
      point.stop();
      await upstream[Symbol.asyncDispose]();
    },
  };
};
