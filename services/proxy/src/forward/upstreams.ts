/** Where each service's API lies, and the connections to it. */
import { Pool } from 'undici';
import type { UpstreamConfig } from '../config.ts';
import { type Http2Sessions, http2Sessions } from './http2-sessions.ts';

export type Upstream = {
  readonly origin: string;
  /** What the Host header names. */
  readonly host: string;
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string;
  readonly pool: Pool;
  /** Where the API speaks HTTP/2: over TLS as agreed there, in clear text by prior knowledge. */
  readonly http2?: Http2Sessions;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
};

export type Upstreams = {
  /** `below` is the path below the service's mount. */
  readonly find: (service: string, below: string) => Upstream | undefined;
  readonly close: () => Promise<void>;
};

const connectTimeoutMs = 10_000;

export const openUpstreams = (services: Readonly<Record<string, UpstreamConfig>>): Upstreams => {
  const pools = new Map<string, Pool>();
  const sessions = new Map<string, Http2Sessions>();
  const toUpstream = (url: string, { timeoutMs, bodyBytesMax, protocol }: UpstreamConfig): Upstream => {
    const origin = new URL(url);
    const key = `${origin.origin} ${timeoutMs}`;
    // Streams may be silent for long, so only the first byte is waited for against the clock. The number of connections follows the
    // number of requests under way: a limit would let a few open streams starve everybody else.
    const pool =
      pools.get(key) ??
      new Pool(origin.origin, {
        pipelining: 1,
        headersTimeout: timeoutMs,
        bodyTimeout: 0,
        connect: { timeout: Math.min(timeoutMs, connectTimeoutMs) },
      });
    pools.set(key, pool);
    const http2 = protocol === 'http2' ? (sessions.get(origin.origin) ?? http2Sessions(origin)) : undefined;
    if (http2 !== undefined) sessions.set(origin.origin, http2);
    return {
      ...(http2 && { http2 }),
      origin: origin.origin,
      host: origin.host,
      basePath: origin.pathname.replace(/\/$/, ''),
      pool,
      timeoutMs,
      bodyBytesMax,
    };
  };
  const byService = new Map(
    Object.entries(services).map(([name, config]) => {
      const prefixed = 'upstream' in config ? [{ prefix: '', url: config.upstream }] : config.upstreams;
      const entries = prefixed.map(({ prefix, url }) => ({
        prefix: prefix.replace(/\/$/, ''),
        upstream: toUpstream(url, config),
      }));
      return [name, entries.sort((a, b) => b.prefix.length - a.prefix.length)] as const;
    }),
  );
  return {
    find: (service, below) =>
      byService.get(service)?.find(({ prefix }) => prefix === '' || below === prefix || below.startsWith(`${prefix}/`))
        ?.upstream,
    close: async () => {
      for (const each of sessions.values()) each.close();
      await Promise.allSettled([...pools.values()].map((pool) => pool.destroy()));
    },
  };
};
