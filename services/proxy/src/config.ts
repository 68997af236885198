/** What one proxy is told; main.ts makes it of `postern.yaml`. What the services' routes are comes from the log, not from here. */
import type { TlsMaterial } from '@postern/runtime';
import type { HealthCheck, Issuer, Outliers, RateLimit, Recording, Retries, Timeouts } from '@postern/schemas';
import type { GatewaysConfig } from './authorize/trust.ts';
import type { Drain } from './gate/draining.ts';
import type { ObservedServices } from './gate/observing.ts';

export type ProxyConfig = {
  /** A name for people. The running proxy adds a suffix of its own, so that a restart is another instance. */
  readonly instance: string;
  /** HOST:PORT of the gate; port 0 takes a free one. */
  readonly listen: string;
  /** HTTPS and HTTP/2 in place of plain HTTP. */
  readonly tls?: TlsMaterial;
  /** HOST:PORT for HTTP/2 in the clear. */
  readonly h2c?: string;
  /** Service name → where its API lies. A service that the log routes and that is not named here answers 502. */
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  /** Services that refuse nobody for want of a grant, until an instant (RFC 3339). */
  readonly observed?: ObservedServices;
  readonly issuers: readonly Issuer[];
  /** CIDR blocks whose X-Forwarded-For counts; nobody's by default. */
  readonly trustedProxies: readonly string[];
  /** Other gateways that may ask this one; nobody by default. */
  readonly gateways?: GatewaysConfig;
  /** How long decisions are trusted without hearing from the log, in ms. */
  readonly leaseMs: number;
  readonly cachedDecisionsMax: number;
  readonly drain?: Drain;
  /** What may pass while the log takes no decisions; `decisionsMax` counts where there is a journal. */
  readonly recording?: Recording;
  /** Several processes listen on the same address, each with its own gate. */
  readonly sharesPort?: boolean;
  /** How long a body that has to be judged may take to come, in ms; half a minute where it is left out. */
  readonly bodyTimeoutMs?: number;
};

export type UpstreamConfig = UpstreamAddress & {
  /** From the end of the request to the first byte of the answer, in ms. */
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  /** What the API speaks; HTTP/1.1 where it is left out. */
  readonly protocol?: 'http1' | 'http2';
  /** How GraphQL operations are read. */
  readonly graphql?: { readonly depthMax: number; readonly persisted: ReadonlyMap<string, string> };
  /** What is left out of these is as the configuration has it by default. */
  readonly timeouts?: Timeouts;
  readonly health?: HealthCheck | undefined;
  readonly outliers?: Outliers;
  readonly retries?: Retries;
  readonly rateLimits?: readonly RateLimit[];
  readonly serverTiming?: 'asked' | 'always' | 'never';
};

/** One target, several that answer alike, or several by path prefix (whole segments, the longest wins); the prefix stays in the path. */
export type UpstreamAddress =
  | { readonly upstream: string | readonly string[] }
  | { readonly upstreams: readonly { readonly prefix: string; readonly url: string }[] };

/** Decisions that may wait for the log in memory, at most: beyond it the gate refuses, because nothing passes unrecorded. */
export const unrecordedDecisionsMax = 20_000;
export const drainByDefault: Drain = { delayMs: 0, idleMs: 300, timeoutMs: 10_000 };
